-- Rows of another statement, which is put where it is missing, in so many parts of equal length for
-- a plot: where each begins and ends, and its lowest and highest value.
WITH point AS MATERIALIZED (
    SELECT ts, value FROM (/* rows */) AS o
), extent AS (
    SELECT min(ts) AS low, date_part('epoch', max(ts) - min(ts)) AS length FROM point
)
SELECT min(ts) AS first_ts, max(ts) AS last_ts, min(value) AS low, max(value) AS high
FROM (
    SELECT p.ts, p.value, CASE WHEN e.length > 0
        THEN least(floor(date_part('epoch', p.ts - e.low) / e.length * %(buckets)s),
                   %(buckets)s - 1) END AS bucket
    FROM point AS p CROSS JOIN extent AS e
) AS placed
GROUP BY bucket
ORDER BY 1
