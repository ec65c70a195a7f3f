-- How many runs of all sources may be forgotten: as in run_prune.sql.
SELECT count(*) FROM fetch_run
WHERE started_at < clock_timestamp() - interval '90 days'
  AND finished_at IS NOT NULL AND inserted = 0 AND revised = 0 AND retracted = 0
  AND vintages = 0 AND issues = 0 AND withdrawn = 0
