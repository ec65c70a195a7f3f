-- Inserts the publications of a restored series.
COPY time_series_vintage (ts, published_at, recorded_at, value, run_id, series_id) FROM STDIN
