-- How many rows each run wrote in a range of observations.
SELECT 'versions' AS kind, run_id, count(*) AS stored
FROM time_series_data_scd2
WHERE series_id BETWEEN %(first)s AND %(last)s
  AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
  AND ts >= coalesce(%(since)s, '-infinity'::timestamptz)
  AND ts >= coalesce(%(low)s::timestamptz, '-infinity')
  AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
GROUP BY run_id
UNION ALL
SELECT 'vintages', run_id, count(*)
FROM time_series_vintage
WHERE series_id BETWEEN %(first)s AND %(last)s
  AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
  AND ts >= coalesce(%(since)s, '-infinity'::timestamptz)
  AND ts >= coalesce(%(low)s::timestamptz, '-infinity')
  AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
GROUP BY run_id
