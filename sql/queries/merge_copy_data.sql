-- Inserts current values, many of them.
COPY time_series_data (ts, value, updated_at, run_id, series_id) FROM STDIN (FORMAT BINARY)
