-- Series by their names, or all of them, by name: what they are, since when they are known, when they
-- changed last, and up to when what is known of them is final.
SELECT s.series_id, s.endpoint_prefix, s.name, s.description, s.source, s.granularity, s.unit,
       s.domain, s.category, s.subcategory, s.update_frequency, s.ts_timezone, s.metadata,
       s.availability,
       s.first_known_at, s.changed_at, s.published_timezone, s.answer_unit, st.known_through
FROM time_series AS s
LEFT JOIN source_state AS st ON st.source = s.source
WHERE %(names)s::text[] IS NULL OR s.endpoint_prefix = ANY (%(names)s::text[])
ORDER BY s.endpoint_prefix COLLATE "C"
