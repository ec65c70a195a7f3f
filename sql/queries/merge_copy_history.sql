-- Inserts open versions, many of them.
COPY time_series_data_scd2 (ts, value, valid_from, run_id, series_id) FROM STDIN (FORMAT BINARY)
