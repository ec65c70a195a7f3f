-- Every version of a part of a series, for each observation the oldest first, known from when it would have
-- been if what was back-filled was known when values of the series usually are.
SELECT ts, value, known_from, valid_to AS known_to, known_from < valid_from AS assumed
FROM time_series_assumed_versions(ARRAY[%(name)s::text], %(start)s, %(end)s)
ORDER BY ts, valid_from
