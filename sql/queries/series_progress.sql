-- The series of these names, whoever writes them, and how far each has come: its newest
-- observation, and when a run last brought a newer one; of a series that none did since that is
-- recorded, when the newest was written. Whether the source is known, and as of when, stands in
-- every row. Of many chunks those few are planned for that may hold what is recent, of 90 days, as most
-- series do; for one that has nothing recent a function looks at all, and plans for them then.
SELECT s.series_id, s.endpoint_prefix, s.source, s.name, s.description, s.granularity, s.unit,
       s.domain, s.category, s.subcategory, s.update_frequency, s.ts_timezone, s.metadata,
       s.availability,
       coalesce(n.ts, e.ts) AS newest,
       coalesce(s.advanced_at, n.updated_at, e.updated_at) AS advanced_at,
       s.history_asked_at IS NOT NULL AS history_asked,
       s.answer_unit, s.published_timezone, s.reading,
       o.source IS NOT NULL AS is_known,
       o.last_knowledge_time, o.known_through, o.server_started_at, o.timeline
FROM time_series AS s
LEFT JOIN source_state AS o ON o.source = %(source)s
LEFT JOIN LATERAL (
    SELECT d.ts, d.updated_at FROM time_series_data AS d
    WHERE d.series_id = s.series_id AND d.ts >= now() - interval '90 days'
    ORDER BY d.ts DESC LIMIT 1
) AS n ON true
LEFT JOIN LATERAL
    dataportal_newest_point(CASE WHEN n.ts IS NULL THEN s.series_id END) AS e ON true
WHERE s.endpoint_prefix = ANY (%(names)s)
