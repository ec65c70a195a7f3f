-- Records that a run ends, with the figures of slices that wrote nothing. An attempt that was
-- interrupted is none: it says nothing of the source.
-- A clock that has jumped since the run began makes nothing final.
WITH run AS (
    UPDATE fetch_run SET finished_at = clock_timestamp(), outcome = %(outcome)s, error = %(error)s,
        received = received + %(received)s, unchanged = unchanged + %(unchanged)s,
        duplicates = duplicates + %(duplicates)s, rejected = rejected + %(rejected)s,
        outside = outside + %(outside)s, withheld = withheld + %(withheld)s,
        nulls = nulls + %(nulls)s
    WHERE run_id = %(run)s
    RETURNING kind, started_at, source,
        clock_timestamp() BETWEEN %(earliest)s AND %(latest)s AS clock_is_right
)
UPDATE source_state AS s SET
    last_attempt_at = CASE WHEN run.kind = 'scheduled' THEN run.started_at
                           ELSE s.last_attempt_at END,
    last_outcome = CASE WHEN run.kind = 'scheduled' THEN %(outcome)s ELSE s.last_outcome END,
    last_error = CASE WHEN run.kind = 'scheduled' THEN %(error)s ELSE s.last_error END,
    last_success_at = CASE
        WHEN run.kind = 'scheduled' AND %(outcome)s IN ('succeeded', 'unchanged')
        THEN CASE WHEN run.clock_is_right THEN clock_timestamp() ELSE run.started_at END
        ELSE s.last_success_at END,
    lookback = coalesce(%(lookback)s::interval, s.lookback),
    failures = CASE
        WHEN run.kind <> 'scheduled' THEN s.failures
        WHEN %(outcome)s = 'failed' THEN s.failures + 1
        ELSE 0 END,
    failing_since = CASE
        WHEN run.kind <> 'scheduled' THEN s.failing_since
        WHEN %(outcome)s = 'failed' THEN coalesce(s.failing_since, run.started_at) END,
    reminded_at = CASE WHEN %(told)s THEN clock_timestamp() ELSE s.reminded_at END,
    doubts = CASE WHEN %(settled)s THEN NULL ELSE s.doubts END,
    -- nobody else has the lock, nor gets it before this is committed
    known_through = CASE WHEN run.clock_is_right AND pg_try_advisory_xact_lock(%(key)s)
        THEN greatest(clock_timestamp(), s.last_knowledge_time, s.known_through)
        ELSE s.known_through END
FROM run
WHERE s.source = run.source AND %(outcome)s NOT IN ('interrupted', 'skipped')
RETURNING clock_timestamp()
