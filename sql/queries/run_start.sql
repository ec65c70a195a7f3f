-- Records that a run begins; committed at once, so that a killed one leaves its trace.
INSERT INTO fetch_run (source, kind, window_start, window_end, host, pid, version)
VALUES (%(source)s, %(kind)s, %(start)s, %(end)s, %(host)s, %(pid)s, %(version)s)
RETURNING run_id,
    CASE WHEN %(at_once)s THEN set_config('synchronous_commit', 'off', true) END
