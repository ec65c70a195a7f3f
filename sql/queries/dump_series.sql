-- One series as a file has it: without keys, and with up to when its source's answers are final. Where what came
-- first is all of its initial history, its time is left out, as files had it that did not know of it.
SELECT s.series_id, s.endpoint_prefix, s.source, s.name, s.description, s.granularity, s.unit,
       s.domain, s.category, s.subcategory, s.update_frequency, s.ts_timezone, s.metadata,
       s.availability, s.answer_unit, s.published_timezone, s.reading,
       s.history_asked_at IS NOT NULL AS history_asked,
       nullif(s.history_asked_at, s.first_known_at) AS history_asked_at,
       st.known_through
FROM time_series AS s LEFT JOIN source_state AS st ON st.source = s.source
WHERE s.endpoint_prefix = %(name)s
