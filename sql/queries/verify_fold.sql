-- What a range of observations holds in few rows, all as of one moment: how many rows each run wrote,
-- and a hash of the current values and of the open versions, the same if and only if these are. The
-- hash of a set is that of its rows, in whatever order they come.
SELECT 'current' AS kind, NULL::bigint AS run_id, count(*) AS stored, count(*) AS current,
       bit_xor(hash_record_extended((series_id, ts, value, updated_at, run_id), 0)) AS hash
FROM time_series_data
WHERE series_id BETWEEN %(first)s AND %(last)s
  AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
  AND ts >= coalesce(%(since)s, '-infinity'::timestamptz)
  AND ts >= coalesce(%(low)s::timestamptz, '-infinity')
  AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
UNION ALL
SELECT 'versions', run_id, count(*), count(*) FILTER (WHERE valid_to = 'infinity'),
       bit_xor(hash_record_extended((series_id, ts, value, valid_from, run_id), 0))
           FILTER (WHERE valid_to = 'infinity')
FROM time_series_data_scd2
WHERE series_id BETWEEN %(first)s AND %(last)s
  AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
  AND ts >= coalesce(%(since)s, '-infinity'::timestamptz)
  AND ts >= coalesce(%(low)s::timestamptz, '-infinity')
  AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
GROUP BY run_id
UNION ALL
SELECT 'vintages', run_id, count(*), 0, NULL
FROM time_series_vintage
WHERE series_id BETWEEN %(first)s AND %(last)s
  AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
  AND ts >= coalesce(%(since)s, '-infinity'::timestamptz)
  AND ts >= coalesce(%(low)s::timestamptz, '-infinity')
  AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
GROUP BY run_id
