-- The publications of a series, each with the value that was recorded for it last.
SELECT DISTINCT ON (ts, published_at) ts, published_at, value
FROM time_series_vintage WHERE series_id = %(series)s
ORDER BY ts, published_at DESC, recorded_at DESC
