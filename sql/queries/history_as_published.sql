-- A series as its provider had published it by a time, as far as that was recorded by another.
SELECT ts, value, published_at, recorded_at FROM (
    SELECT DISTINCT ON (ts) ts, value, published_at, recorded_at
    FROM time_series_vintage
    WHERE series_id = %(series)s AND published_at <= %(at)s
      AND recorded_at <= coalesce(%(recorded)s, 'infinity'::timestamptz)
      AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
    ORDER BY ts, published_at DESC, recorded_at DESC
) AS publication
WHERE value IS NOT NULL
ORDER BY ts
