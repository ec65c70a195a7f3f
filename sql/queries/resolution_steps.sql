-- The distances between the observations of a part of a series: a row where another one begins, with
-- the number of its first observation; the last row is the last observation.
SELECT ts, distance, number
FROM (
    SELECT ts, distance, row_number() OVER w AS number, lag(distance) OVER w AS before
    FROM (
        SELECT d.ts, lead(d.ts) OVER (ORDER BY d.ts) - d.ts AS distance
        FROM time_series_data AS d
        WHERE d.series_id = %(series)s
          AND d.ts >= coalesce(%(start)s, '-infinity'::timestamptz)
          AND d.ts < coalesce(%(end)s, 'infinity'::timestamptz)
    ) AS pair
    WINDOW w AS (ORDER BY ts)
) AS numbered
WHERE distance IS DISTINCT FROM before OR distance IS NULL
ORDER BY ts
LIMIT %(limit)s
