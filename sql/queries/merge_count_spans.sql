-- How many points each series has stored within its span of the answer.
SELECT s.series_id, d.stored
FROM unnest(%(series)s::integer[], %(lows)s::timestamptz[], %(highs)s::timestamptz[])
    AS s (series_id, low, high)
CROSS JOIN LATERAL (
    SELECT count(*) AS stored FROM time_series_data
    WHERE series_id = s.series_id AND ts BETWEEN s.low AND s.high
      AND ts BETWEEN %(low)s AND %(high)s
) AS d
