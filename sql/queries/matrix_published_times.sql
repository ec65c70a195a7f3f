-- The times at which anything of a part of a series was published, as far as it was recorded by a time.
SELECT DISTINCT published_at AS at FROM time_series_vintage
WHERE series_id = %(series)s
  AND recorded_at <= coalesce(%(recorded)s, 'infinity'::timestamptz)
  AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
  AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
ORDER BY 1
LIMIT %(most)s
