-- Records that a run begins; committed at once, so that a killed one leaves its trace. And whether
-- there is an earlier one without an end, which nearly never is.
INSERT INTO fetch_run (source, kind, window_start, window_end, host, pid, version, backfill_id)
VALUES (%(source)s, %(kind)s, %(start)s, %(end)s, %(host)s, %(pid)s, %(version)s, %(backfill)s)
RETURNING run_id,
    EXISTS (SELECT FROM fetch_run AS r WHERE r.source = %(source)s AND r.finished_at IS NULL)
        AS has_open,
    CASE WHEN %(at_once)s THEN set_config('synchronous_commit', 'off', true) END
