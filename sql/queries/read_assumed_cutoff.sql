-- For each ts of a series the value that would have been known at a time of day so many local days before, if
-- what was back-filled was known when values of it usually are. What is assumed is never final.
SELECT ts, value, valid_from AS since, valid_to AS until,
       NOT assumed AND coalesce((date_trunc('day', ts AT TIME ZONE %(zone)s)
           - make_interval(days => %(days)s) + %(clock)s::time) AT TIME ZONE %(zone)s
           <= %(known_through)s::timestamptz, false) AS final, assumed
FROM time_series_assumed_cutoff(ARRAY[%(name)s::text], %(days)s, %(clock)s::time, %(zone)s,
    %(start)s, %(end)s)
ORDER BY ts
