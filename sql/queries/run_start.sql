-- Records that a run begins; committed at once, so that a killed one leaves its trace. What an
-- earlier run of the source left without an end was killed, as nobody else holds the lock, unless it
-- said that it would be back.
WITH killed AS (
    UPDATE fetch_run SET finished_at = statement_timestamp(), outcome = 'interrupted',
        error = 'the program was killed, or its machine went down'
    WHERE source = %(source)s AND finished_at IS NULL
      AND (unlocked_until IS NULL OR unlocked_until < clock_timestamp())
)
INSERT INTO fetch_run (source, kind, window_start, window_end, host, pid, version, backfill_id)
VALUES (%(source)s, %(kind)s, %(start)s, %(end)s, %(host)s, %(pid)s, %(version)s, %(backfill)s)
RETURNING run_id,
    CASE WHEN %(at_once)s THEN set_config('synchronous_commit', 'off', true) END
