-- The time now, and what is recorded of runs that wrote something and may be at work, or may have been
-- when the last commit was made.
SELECT n.began, r.run_id, r.inserted + r.revised, r.vintages, r.issues
FROM (SELECT clock_timestamp() AS began) AS n
LEFT JOIN fetch_run AS r
    ON (r.finished_at IS NULL OR r.started_at >= n.began - INTERVAL '1 day')
    AND r.inserted + r.revised + r.vintages + r.issues > 0
