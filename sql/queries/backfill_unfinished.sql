-- The backfill of several sources to go on with: the newest that was broken off, else the newest in
-- which a source failed. Which of its sources have ended well, and which have begun.
SELECT b.backfill_id, b.created_at, b.window_start AS start, b.window_end AS "end", b.sources,
       coalesce(r.done, '{}') AS done, coalesce(r.begun, '{}') AS begun
FROM (
    SELECT * FROM backfill WHERE finished_at IS NULL ORDER BY backfill_id DESC LIMIT 20
) AS b
CROSS JOIN LATERAL (
    SELECT array_agg(f.source) FILTER (
               WHERE f.outcome IN ('succeeded', 'unchanged', 'empty', 'partial')
                  OR f.done_until >= f.window_end) AS done,
           array_agg(f.source) AS begun,
           count(*) FILTER (WHERE f.outcome <> 'interrupted' OR f.done_until >= f.window_end)
               AS ended
    FROM (
        SELECT DISTINCT ON (source) source, outcome, done_until, window_end FROM fetch_run
        WHERE backfill_id = b.backfill_id ORDER BY source, run_id DESC
    ) AS f
) AS r
WHERE cardinality(coalesce(r.done, '{}')) < cardinality(b.sources)
ORDER BY r.ended < cardinality(b.sources) DESC, b.backfill_id DESC
LIMIT 1
