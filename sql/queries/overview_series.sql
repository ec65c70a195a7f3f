-- Every series with its newest observation, if that is recent: one look at the end of an index for
-- each. The bound is a constant, so that with thousands of chunks a few are planned for.
SELECT s.source, s.series_id, s.endpoint_prefix, n.ts AS newest
FROM time_series AS s
LEFT JOIN LATERAL (
    SELECT d.ts FROM time_series_data AS d
    WHERE d.series_id = s.series_id AND d.ts >= %(recent)s ORDER BY d.ts DESC LIMIT 1
) AS n ON true
WHERE %(sources)s::text[] IS NULL OR s.source = ANY (%(sources)s::text[])
ORDER BY s.endpoint_prefix
