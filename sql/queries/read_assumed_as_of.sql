-- A series as it would have been known at a time, if what was back-filled was known when values of it usually
-- are. What is assumed is never final.
SELECT ts, value, valid_from AS since, valid_to AS until,
       NOT assumed AND coalesce(%(at)s::timestamptz <= %(known_through)s::timestamptz, false) AS final,
       assumed
FROM time_series_assumed_as_of(ARRAY[%(name)s::text], %(at)s::timestamptz, %(start)s, %(end)s)
ORDER BY ts
