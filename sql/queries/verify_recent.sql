-- What is settled and what is not as a verification begins: the time now; the number of the last
-- run that ended and began longer ago than any commit may be late; and of each run that is not
-- that, or that began before one that is, what it has written so far.
SELECT n.began, n.last_settled, r.run_id, r.inserted + r.revised, r.vintages, r.issues
FROM (
    SELECT c.began, coalesce((
        SELECT max(run_id) FROM fetch_run
        WHERE finished_at IS NOT NULL AND started_at < c.began - INTERVAL '1 day'
    ), 0) AS last_settled
    FROM (SELECT clock_timestamp() AS began) AS c
) AS n
LEFT JOIN fetch_run AS r ON r.finished_at IS NULL OR r.started_at >= n.began - INTERVAL '1 day'
