-- One backfill of several sources: which of them have ended well, and which have begun.
SELECT b.backfill_id, b.created_at, b.window_start AS start, b.window_end AS "end", b.sources,
       coalesce(r.done, '{}') AS done, coalesce(r.begun, '{}') AS begun
FROM backfill AS b
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT f.source) FILTER (
               WHERE f.outcome IN ('succeeded', 'unchanged', 'empty', 'partial')
                  OR f.done_until >= f.window_end) AS done,
           array_agg(DISTINCT f.source) AS begun
    FROM fetch_run AS f WHERE f.backfill_id = b.backfill_id
) AS r
WHERE b.backfill_id = %(backfill)s
