-- What is remembered of one source.
SELECT source, last_attempt_at, last_outcome, last_success_at, known_through, failures, last_error
FROM source_state WHERE source = %(source)s
