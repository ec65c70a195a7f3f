-- The runs of a forecast in a range of times, oldest first.
SELECT series, issued_at, first_ts, last_ts, points
FROM time_series_known_issues(ARRAY[%(name)s::text], %(start)s, %(end)s)
ORDER BY issued_at
