-- For each ts of a series the value known at a time of day so many local days before.
SELECT ts, value, valid_from AS since, valid_to AS until,
       coalesce((date_trunc('day', ts AT TIME ZONE %(zone)s) - make_interval(days => %(days)s)
           + %(clock)s::time) AT TIME ZONE %(zone)s <= %(known_through)s::timestamptz, false) AS final
FROM time_series_known_cutoff(ARRAY[%(name)s::text], %(days)s, %(clock)s::time, %(zone)s,
    %(start)s, %(end)s)
