-- A series as its provider had published it by a time.
SELECT ts, value, published_at, recorded_at
FROM time_series_vintage_as_of(%(at)s)
WHERE series_id = %(series)s AND value IS NOT NULL
  AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
  AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
ORDER BY ts
