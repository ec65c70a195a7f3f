-- Series of a range of observations of which the current values are not the open versions, or hold
-- what is no number or no time.
SELECT series_id
FROM (
    SELECT series_id,
           sum(hashfloat8extended(value,
               timestamp_hash_extended(timezone(INTERVAL '0', updated_at),
               timestamp_hash_extended(timezone(INTERVAL '0', ts),
               hashint4extended(series_id, run_id))))) AS hash,
           sum(value * 0) <> 0 OR min(updated_at) = '-infinity' AS is_odd
    FROM time_series_data
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
    GROUP BY series_id
) AS c
FULL JOIN (
    SELECT series_id,
           sum(hashfloat8extended(value,
               timestamp_hash_extended(timezone(INTERVAL '0', valid_from),
               timestamp_hash_extended(timezone(INTERVAL '0', ts),
               hashint4extended(series_id, run_id))))) AS hash
    FROM time_series_data_scd2
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
      AND valid_to = 'infinity'
    GROUP BY series_id
) AS v USING (series_id)
WHERE c.is_odd OR c.hash IS DISTINCT FROM v.hash
