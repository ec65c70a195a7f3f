-- The series of these names, whoever writes them, and how far each has come: its newest
-- observation, and when a run last brought a newer one; of a series that none did since that is
-- recorded, when the newest was written. Whether the source is known, and as of when, stands in
-- every row. The function asks the machine of each series, and no other: a join would ask all.
SELECT s.series_id, s.endpoint_prefix, s.source, s.name, s.description, s.granularity, s.unit,
       s.domain, s.category, s.subcategory, s.update_frequency, s.ts_timezone, s.metadata,
       s.availability,
       n.ts AS newest, coalesce(s.advanced_at, n.updated_at) AS advanced_at,
       s.history_asked_at IS NOT NULL AS history_asked,
       s.answer_unit, s.published_timezone, s.reading,
       o.source IS NOT NULL AS is_known,
       o.last_knowledge_time, o.known_through, o.server_started_at, o.timeline
FROM time_series AS s
LEFT JOIN source_state AS o ON o.source = %(source)s
LEFT JOIN LATERAL dataportal_newest_point(s.series_id) AS n ON true
WHERE s.endpoint_prefix = ANY (%(names)s)
