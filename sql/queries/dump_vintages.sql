-- Every publication of a series, for each observation the oldest first.
SELECT ts, published_at, recorded_at, value
FROM time_series_vintage WHERE series_id = %(series)s
ORDER BY ts, published_at, recorded_at
