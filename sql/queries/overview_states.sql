-- What is remembered of every source: all that is needed to say what is due.
SELECT source, last_attempt_at AS last_attempt, last_outcome, last_success_at AS last_success,
       known_through, failures, failing_since, reminded_at, last_error, doubts,
       greatest(last_knowledge_time, known_through) AS known_latest
FROM source_state
