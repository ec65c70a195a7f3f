-- What runs of a forecast answered of a series, the oldest first.
SELECT issued_at, first_ts, last_ts, points
FROM time_series_issue WHERE series_id = %(series)s
ORDER BY issued_at
