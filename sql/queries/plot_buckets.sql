-- Rows of another statement, which is put where it is missing, in so many parts of equal length for
-- a plot: where each begins and ends, and its first, lowest, highest and last value.
WITH point AS MATERIALIZED (
    SELECT ts, value FROM (/* rows */) AS o
), extent AS (
    SELECT min(ts) AS low, extract(epoch FROM max(ts) - min(ts)) AS length FROM point
)
SELECT min(ts) AS first_ts, max(ts) AS last_ts, (array_agg(value ORDER BY ts))[1] AS first,
       min(value) AS low, max(value) AS high, (array_agg(value ORDER BY ts DESC))[1] AS last
FROM (
    SELECT ts, value, CASE WHEN e.length > 0
        THEN least(floor(extract(epoch FROM ts - e.low) / e.length * %(buckets)s),
                   %(buckets)s - 1) END AS bucket
    FROM point CROSS JOIN extent AS e
) AS placed
GROUP BY bucket
ORDER BY 1
