-- The newest observations of series that have recent ones: one look at the end of an index for each.
-- The bound is a constant, so that with thousands of chunks a few are planned for.
SELECT s.series_id, n.ts
FROM unnest(%(series)s::integer[]) AS s (series_id)
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (d.series_id) d.ts FROM time_series_data AS d
    WHERE d.series_id = s.series_id AND d.ts >= %(recent)s ORDER BY d.series_id, d.ts DESC
) AS n
