-- The first ts that is stored of any of these series.
SELECT min(d.ts)
FROM unnest(%(series)s::integer[]) AS s (series_id)
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (d.series_id) d.ts FROM time_series_data AS d
    WHERE d.series_id = s.series_id AND d.series_id = ANY (%(series)s::integer[])
    ORDER BY d.series_id, d.ts
) AS d
