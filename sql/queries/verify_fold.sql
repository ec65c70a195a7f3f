-- What is to be looked at row by row of a range of observations, as far as sums and bounds tell.
-- The first row is of no series: whether the current values are not the open versions, by a sum of
-- hashes of all rows, which needs neither order nor room, or hold what is no number or no time; of
-- the versions of settled runs a sum of the hashes of the numbers of these; and whether there are
-- any of other runs. The others are series of which a version is known later than the last that the
-- source knew, or of no series.
WITH current AS (
    SELECT sum(hashfloat8extended(value,
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
), versions AS (
    SELECT series_id,
           sum(hashfloat8extended(value,
               timestamp_hash_extended(timezone(INTERVAL '0', valid_from),
               timestamp_hash_extended(timezone(INTERVAL '0', ts),
               hashint4extended(series_id, run_id)))))
               FILTER (WHERE valid_to = 'infinity') AS hash,
           max(valid_from) AS last_from,
           sum(hashint8(run_id)) FILTER (
               WHERE run_id <= %(settled)s::bigint
                 AND (%(unsettled)s::bigint[] IS NULL OR run_id <> ALL (%(unsettled)s::bigint[]))
           ) AS settled,
           max(run_id) AS last_run
    FROM time_series_data_scd2
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
    GROUP BY series_id
)
SELECT NULL::integer AS series_id,
       coalesce(c.is_odd, false) OR coalesce(c.hash, 0) <> coalesce(v.hash, 0) AS is_suspect,
       coalesce(v.settled, 0)::text AS settled,
       coalesce(v.last_run > %(settled)s::bigint, false) AS is_new
FROM current AS c
CROSS JOIN (
    SELECT sum(hash) AS hash, sum(settled) AS settled, max(last_run) AS last_run FROM versions
) AS v
UNION ALL
SELECT v.series_id, true, NULL, NULL
FROM versions AS v
LEFT JOIN (
    SELECT s.series_id, coalesce(st.last_knowledge_time, '-infinity') AS last_known
    FROM time_series AS s LEFT JOIN source_state AS st ON st.source = s.source
) AS s ON s.series_id = v.series_id
WHERE s.last_known IS NULL OR v.last_from > s.last_known
