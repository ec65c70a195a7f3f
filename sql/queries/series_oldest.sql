-- The first ts that is stored of any of these series.
SELECT min(d.ts)
FROM unnest(%(series)s::integer[]) AS s (series_id)
CROSS JOIN LATERAL (
    SELECT ts FROM time_series_data WHERE series_id = s.series_id ORDER BY ts LIMIT 1
) AS d
