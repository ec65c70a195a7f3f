-- How many points each series has stored within its span of the answer.
SELECT s.series_id, count(*)
FROM unnest(%(series)s::integer[], %(lows)s::timestamptz[], %(highs)s::timestamptz[])
    AS s (series_id, low, high)
JOIN time_series_data AS d
    ON d.series_id = s.series_id AND d.ts BETWEEN s.low AND s.high
    AND d.ts BETWEEN %(low)s AND %(high)s
GROUP BY s.series_id
