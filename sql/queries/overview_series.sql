-- Every series with its newest observation: one look at the end of an index for each.
SELECT s.source, s.series_id, s.endpoint_prefix, n.ts
FROM time_series AS s
LEFT JOIN LATERAL (
    SELECT d.ts FROM time_series_data AS d
    WHERE d.series_id = s.series_id ORDER BY d.ts DESC LIMIT 1
) AS n ON true
ORDER BY s.endpoint_prefix
