-- Adds a row for a source seen for the first time; one that was renamed keeps what is remembered
-- of it.
INSERT INTO source_state (source, last_attempt_at, last_outcome, last_success_at,
    last_knowledge_time, known_through, failures, failing_since, last_error, doubts, lookback)
SELECT %(source)s, o.last_attempt_at, o.last_outcome, o.last_success_at, o.last_knowledge_time,
       o.known_through, coalesce(o.failures, 0), o.failing_since, o.last_error, o.doubts, o.lookback
FROM (SELECT 1) AS single LEFT JOIN source_state AS o ON o.source = %(renamed_from)s
ON CONFLICT (source) DO NOTHING
