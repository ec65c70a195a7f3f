-- The times of publication of a series in a range, oldest first.
SELECT series, issued_at, first_ts, last_ts, points
FROM time_series_published_issues(ARRAY[%(name)s::text],
    coalesce(%(recorded_by)s, 'infinity'::timestamptz), %(start)s, %(end)s)
ORDER BY issued_at
