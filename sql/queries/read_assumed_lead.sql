-- For each ts of a series the value that would have been known so long before it, if what was back-filled was
-- known when values of it usually are. What is assumed is never final.
SELECT ts, value, valid_from AS since, valid_to AS until,
       NOT assumed AND coalesce(ts - %(lead)s::interval <= %(known_through)s::timestamptz, false)
           AS final, assumed
FROM time_series_assumed_lead(ARRAY[%(name)s::text], %(lead)s::interval, %(start)s, %(end)s)
ORDER BY ts
