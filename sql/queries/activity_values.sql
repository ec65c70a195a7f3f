-- The newest values of each of some series, in order of ts: one look at the end of an index for each.
-- The bound is a constant, so that with thousands of chunks a few are planned for.
SELECT s.series_id, n.ts, n.values
FROM unnest(%(series)s::integer[]) AS s (series_id)
CROSS JOIN LATERAL (
    SELECT array_agg(date_part('epoch', d.ts) ORDER BY d.ts) AS ts,
           array_agg(d.value ORDER BY d.ts) AS values
    FROM (
        SELECT p.ts, p.value FROM time_series_data AS p
        WHERE p.series_id = s.series_id AND p.ts >= %(since)s
        ORDER BY p.ts DESC LIMIT %(limit)s
    ) AS d
) AS n
WHERE n.ts IS NOT NULL
