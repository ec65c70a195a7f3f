-- How many points each series has stored within its span of the answer; none of one without.
SELECT s.series_id, d.stored
FROM unnest(%(series)s::integer[], %(lows)s::timestamptz[], %(highs)s::timestamptz[])
    AS s (series_id, low, high)
CROSS JOIN LATERAL (
    SELECT count(*) AS stored FROM time_series_data AS d
    WHERE d.series_id = s.series_id AND d.ts BETWEEN s.low AND s.high
      AND d.ts BETWEEN %(low)s AND %(high)s
    GROUP BY d.series_id
) AS d
