-- What is to be looked at row by row of the publications of a range of observations, as far as sums
-- and bounds tell. The first row is of no series: of the publications of settled runs a sum of the
-- hashes of the numbers of these, and whether there are any of other runs. The others are series of
-- which one was recorded again, or later than the last that the source knew, with what is no number
-- or no time, or of no series.
WITH publications AS (
    SELECT series_id, max(recorded_at) AS last_recorded,
           sum(value * 0) <> 0 OR min(ts) = '-infinity' OR max(ts) = 'infinity'
           OR min(published_at) = '-infinity' OR max(published_at) = 'infinity'
           OR min(recorded_at) = '-infinity' AS is_odd,
           sum(hashint8(run_id)) FILTER (
               WHERE run_id <= %(settled)s::bigint
                 AND (%(unsettled)s::bigint[] IS NULL OR run_id <> ALL (%(unsettled)s::bigint[]))
           ) AS settled,
           max(run_id) AS last_run
    FROM time_series_vintage
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
    GROUP BY series_id
)
SELECT NULL::integer AS series_id, coalesce(sum(settled), 0)::text AS settled,
       coalesce(max(last_run) > %(settled)s::bigint, false) AS is_new
FROM publications
UNION ALL
SELECT v.series_id, NULL, NULL
FROM publications AS v
LEFT JOIN (
    SELECT s.series_id, coalesce(st.last_knowledge_time, '-infinity') AS last_known
    FROM time_series AS s LEFT JOIN source_state AS st ON st.source = s.source
) AS s ON s.series_id = v.series_id
WHERE s.last_known IS NULL OR v.last_recorded > s.last_known OR v.is_odd
UNION ALL
SELECT DISTINCT a.series_id, NULL, NULL::boolean
FROM (
    SELECT series_id, published_at,
           lag(published_at) OVER (
               PARTITION BY series_id, ts ORDER BY published_at DESC, recorded_at DESC
           ) AS published_before
    FROM time_series_vintage
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
) AS a
WHERE a.published_at = a.published_before
