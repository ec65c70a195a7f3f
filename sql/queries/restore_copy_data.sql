-- Inserts the current values of a restored series.
COPY time_series_data (ts, value, updated_at, run_id, series_id) FROM STDIN
