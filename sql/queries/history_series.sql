-- One series: what it is, since when it is known, when it changed last, and up to when what is known
-- of it is final.
SELECT s.series_id, s.endpoint_prefix, s.name, s.description, s.source, s.granularity, s.unit,
       s.domain, s.category, s.subcategory, s.update_frequency, s.ts_timezone, s.metadata,
       s.availability,
       s.first_known_at, s.changed_at, s.published_timezone, s.answer_unit, st.known_through
FROM time_series AS s
LEFT JOIN source_state AS st ON st.source = s.source
WHERE s.endpoint_prefix = %(name)s
