-- How many observations a series has from each of some times on up to the next, counted up to a limit,
-- and the shortest distance between two of those.
SELECT (SELECT count(*) FROM (
            SELECT FROM time_series_data AS d
            WHERE d.series_id = %(series)s AND d.ts >= b.low
              AND d.ts < coalesce(b.high, 'infinity'::timestamptz)
            LIMIT %(limit)s
        ) AS p) AS points,
       (SELECT min(p.distance) FROM (
            SELECT lead(d.ts) OVER (ORDER BY d.ts) - d.ts AS distance FROM (
                SELECT d.ts FROM time_series_data AS d
                WHERE d.series_id = %(series)s AND d.ts >= b.low
                  AND d.ts < coalesce(b.high, 'infinity'::timestamptz)
                ORDER BY d.ts LIMIT %(limit)s
            ) AS d
        ) AS p) AS nearest
FROM (
    SELECT low, lead(low) OVER (ORDER BY low) AS high FROM unnest(%(from)s::timestamptz[]) AS low
) AS b
ORDER BY b.low
