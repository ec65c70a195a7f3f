-- A series as it was known at a time, and whether that is final.
SELECT ts, value, valid_from AS since, valid_to AS until,
       coalesce(%(at)s::timestamptz <= %(known_through)s::timestamptz, false) AS final
FROM time_series_known_as_of(ARRAY[%(name)s::text], %(at)s::timestamptz, %(start)s, %(end)s)
