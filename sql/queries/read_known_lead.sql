-- For each ts of a series the value known so long before it.
SELECT ts, value, valid_from AS since, valid_to AS until,
       coalesce(ts - %(lead)s::interval <= %(known_through)s::timestamptz, false) AS final
FROM time_series_known_lead(ARRAY[%(name)s::text], %(lead)s::interval, %(start)s, %(end)s)
