-- The versions of one number of a series.
SELECT ts, value, valid_from AS since, valid_to AS until,
       coalesce(valid_from <= %(known_through)s::timestamptz, false) AS final
FROM time_series_known_release(ARRAY[%(name)s::text], %(number)s, %(start)s, %(end)s)
