-- Every publication of a part of a series with the time of the one after it, as far as it was recorded
-- by a time: of one that was stated anew the last record.
SELECT ts, value, published_at AS since,
       lead(published_at) OVER (PARTITION BY ts ORDER BY published_at) AS until
FROM (
    SELECT DISTINCT ON (ts, published_at) ts, value, published_at
    FROM time_series_vintage
    WHERE series_id = %(series)s
      AND recorded_at <= coalesce(%(recorded)s, 'infinity'::timestamptz)
      AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
    ORDER BY ts, published_at DESC, recorded_at DESC
) AS publication
ORDER BY ts, published_at
