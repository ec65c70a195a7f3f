-- The last runs of a forecast that answered a part of a series, oldest first.
SELECT issued_at, first_ts, last_ts, points, run_id FROM (
    SELECT issued_at, first_ts, last_ts, points::bigint, run_id FROM time_series_issue
    WHERE series_id = %(series)s
      AND last_ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND first_ts < coalesce(%(end)s, 'infinity'::timestamptz)
    ORDER BY issued_at DESC LIMIT %(limit)s
) AS newest
ORDER BY issued_at
