-- How many rows each run wrote in a range of observations: of all runs, or of those not settled.
SELECT 'versions' AS kind, run_id, count(*) AS stored
FROM time_series_data_scd2
WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
  AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
  AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
  AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
  AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
  AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
  AND (%(settled)s::bigint IS NULL OR run_id > %(settled)s::bigint
       OR run_id = ANY (%(unsettled)s::bigint[]))
GROUP BY run_id
UNION ALL
SELECT 'vintages', run_id, count(*)
FROM time_series_vintage
WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
  AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
  AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
  AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
  AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
  AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
  AND (%(settled)s::bigint IS NULL OR run_id > %(settled)s::bigint
       OR run_id = ANY (%(unsettled)s::bigint[]))
GROUP BY run_id
