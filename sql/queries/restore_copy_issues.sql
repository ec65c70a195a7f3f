-- Inserts what runs of a forecast had answered of a restored series.
COPY time_series_issue (issued_at, first_ts, last_ts, points, run_id, series_id) FROM STDIN
