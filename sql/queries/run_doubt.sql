-- Records that the answers of a run that just ended may be pages; the first doubt of a kind stays, until
-- the entry settles it.
UPDATE source_state AS s SET
    doubts = jsonb_build_object('pages', jsonb_build_object(
                 'since', run.started_at, 'message', %(doubt)s::text))
             || coalesce(s.doubts, '{}')
FROM fetch_run AS run
WHERE run.run_id = %(run)s AND s.source = run.source
  AND run.outcome NOT IN ('interrupted', 'skipped')
