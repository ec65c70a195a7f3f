-- How many observations a series has from each of some times on up to the next, counted up to a limit.
SELECT (SELECT count(*) FROM (
            SELECT FROM time_series_data AS d
            WHERE d.series_id = %(series)s AND d.ts >= b.low
              AND d.ts < coalesce(b.high, 'infinity'::timestamptz)
            LIMIT %(limit)s
        ) AS p) AS points
FROM (
    SELECT low, lead(low) OVER (ORDER BY low) AS high FROM unnest(%(from)s::timestamptz[]) AS low
) AS b
ORDER BY b.low
