-- Every record of a publication of a part of a series, as far as it was recorded by a time, for each
-- observation the oldest first.
SELECT ts, value, published_at, recorded_at
FROM time_series_vintage
WHERE series_id = %(series)s
  AND recorded_at <= coalesce(%(recorded)s, 'infinity'::timestamptz)
  AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
  AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
ORDER BY ts, published_at, recorded_at
