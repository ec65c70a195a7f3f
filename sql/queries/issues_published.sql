-- The last times of publication of a part of a series and what was published at each, oldest first, as
-- far as it was recorded by a time.
SELECT issued_at, first_ts, last_ts, points, run_id FROM (
    SELECT published_at AS issued_at, min(ts) AS first_ts, max(ts) AS last_ts,
           count(DISTINCT ts) AS points, max(run_id) AS run_id
    FROM time_series_vintage
    WHERE series_id = %(series)s
      AND recorded_at <= coalesce(%(recorded)s, 'infinity'::timestamptz)
      AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
    GROUP BY published_at
    ORDER BY published_at DESC LIMIT %(limit)s
) AS newest
ORDER BY issued_at
