-- Every source that ever ran, with its newest run. A lookback of more than a century says no more
-- than that, and may be longer than the program can hold.
SELECT s.source, s.last_attempt_at AS last_attempt, s.last_outcome,
       s.last_success_at AS last_success, s.known_through, s.failures, s.failing_since, s.reminded_at,
       s.last_error, s.doubts,
       greatest(s.last_knowledge_time, s.known_through) AS known_latest,
       extract(epoch FROM least(s.lookback, interval '36500 days'))::float8 AS lookback,
       r.run_id, r.kind, r.started_at, r.finished_at, r.outcome, r.unlocked_until, r.error, r.host,
       r.pid, r.received, r.inserted, r.revised, r.retracted
FROM source_state AS s
LEFT JOIN LATERAL (
    SELECT f.* FROM fetch_run AS f WHERE f.source = s.source ORDER BY f.run_id DESC LIMIT 1
) AS r ON true
ORDER BY s.source
