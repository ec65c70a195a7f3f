-- How many issues each run recorded.
SELECT run_id, count(*) FROM time_series_issue GROUP BY run_id
