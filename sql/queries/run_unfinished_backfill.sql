-- The newest backfill of a source that did not reach its end, and what it brought so far; perhaps
-- only one that is part of a backfill of several sources.
SELECT run_id, window_start AS start, window_end AS "end", done_until, vintages,
       received, inserted, revised, retracted, unchanged, duplicates, rejected, outside, withheld,
       nulls
FROM fetch_run
WHERE source = %(source)s AND kind = 'backfill' AND window_end IS NOT NULL
  AND (outcome IS NULL OR outcome IN ('failed', 'interrupted'))
  AND (done_until IS NULL OR done_until < window_end)
  AND (%(backfill)s::bigint IS NULL OR backfill_id = %(backfill)s)
ORDER BY run_id DESC LIMIT 1
