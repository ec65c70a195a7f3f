-- The last runs of each of some sources, newest first.
SELECT run.*
FROM unnest(%(sources)s::text[]) AS wanted (source)
CROSS JOIN LATERAL (
    SELECT run_id, source, kind, started_at, finished_at, outcome, unlocked_until,
           window_start, window_end, done_until,
           received, inserted, revised, retracted, unchanged, duplicates, rejected, outside,
           withheld, nulls, vintages, error, host, pid, version
    FROM fetch_run AS f
    WHERE f.source = wanted.source
    ORDER BY f.run_id DESC
    LIMIT %(limit)s
) AS run
ORDER BY run.source, run.run_id DESC
