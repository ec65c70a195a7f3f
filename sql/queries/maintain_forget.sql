-- Forgets runs of all sources that wrote no version and issued no forecast, after 90 days, as many as
-- fit a short transaction.
DELETE FROM fetch_run WHERE run_id IN (
    SELECT run_id FROM fetch_run
    WHERE started_at < clock_timestamp() - interval '90 days'
      AND finished_at IS NOT NULL AND inserted = 0 AND revised = 0 AND retracted = 0
      AND vintages = 0 AND issues = 0 AND withdrawn = 0
    LIMIT 5000
)
