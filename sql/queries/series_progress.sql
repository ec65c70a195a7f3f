-- How far each series of a source has come: its newest observation, and when that was written.
SELECT s.series_id, s.endpoint_prefix, n.ts, n.updated_at, s.history_asked_at IS NOT NULL
FROM time_series AS s
LEFT JOIN LATERAL (
    SELECT d.ts, d.updated_at FROM time_series_data AS d
    WHERE d.series_id = s.series_id ORDER BY d.ts DESC LIMIT 1
) AS n ON true
WHERE s.source = %(source)s AND s.endpoint_prefix = ANY (%(names)s)
