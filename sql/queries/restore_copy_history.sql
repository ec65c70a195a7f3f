-- Inserts the versions of a restored series, with the times at which they were known.
COPY time_series_data_scd2 (ts, value, valid_from, valid_to, run_id, series_id) FROM STDIN
