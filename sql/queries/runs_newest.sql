-- The newest runs of all sources, perhaps only those that did not end well.
SELECT run_id, source, kind, started_at, finished_at, outcome, unlocked_until,
       window_start, window_end, done_until,
       received, inserted, revised, retracted, unchanged, duplicates, rejected, outside, withheld,
       nulls, vintages, error, host, pid, version
FROM fetch_run
WHERE started_at >= %(since)s
  AND (NOT %(failed)s OR outcome IS NULL OR outcome IN ('failed', 'partial', 'interrupted'))
ORDER BY started_at DESC
LIMIT %(limit)s
