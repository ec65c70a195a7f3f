-- The distances between the stored observations of a series: a row where another one begins, with
-- the number of its first observation; the last row is the last observation.
SELECT ts, distance, number
FROM (
    SELECT ts, distance, row_number() OVER w AS number, lag(distance) OVER w AS before
    FROM (
        SELECT ts, lead(ts) OVER (ORDER BY ts) - ts AS distance
        FROM time_series_data WHERE series_id = %(series)s
    ) AS d
    WINDOW w AS (ORDER BY ts)
) AS n
WHERE distance IS DISTINCT FROM before OR distance IS NULL
ORDER BY ts
LIMIT %(limit)s
