-- One run.
SELECT run_id, source, kind, started_at, finished_at, outcome, unlocked_until,
       window_start, window_end, done_until,
       received, inserted, revised, retracted, unchanged, duplicates, rejected, outside, withheld,
       nulls, vintages, error, host, pid, version
FROM fetch_run
WHERE run_id = %(run)s
