-- An unfinished backfill is taken up again, by this process.
UPDATE fetch_run SET finished_at = NULL, outcome = NULL, error = NULL,
    host = %(host)s, pid = %(pid)s, version = %(version)s
WHERE run_id = %(run)s
