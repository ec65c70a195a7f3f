-- What is remembered of one source.
SELECT source, last_attempt_at AS last_attempt, last_outcome, last_success_at AS last_success,
       known_through, failures, failing_since, reminded_at, last_error, doubts,
       greatest(last_knowledge_time, known_through) AS known_latest
FROM source_state WHERE source = %(source)s
