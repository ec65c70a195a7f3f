-- Records that this process takes an unfinished backfill up again.
UPDATE fetch_run SET finished_at = NULL, outcome = NULL, error = NULL, unlocked_until = NULL,
    host = %(host)s, pid = %(pid)s, version = %(version)s
WHERE run_id = %(run)s
