-- Every publication of one observation in the order of its times, as far as it was recorded by a time.
SELECT ts, value, published_at, recorded_at, run_id
FROM time_series_vintage
WHERE series_id = %(series)s AND ts = %(ts)s
  AND recorded_at <= coalesce(%(recorded)s, 'infinity'::timestamptz)
ORDER BY published_at, recorded_at
