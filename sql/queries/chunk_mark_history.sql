-- Opens chunks: a row of no series in each, which the same transaction takes away again.
INSERT INTO time_series_data_scd2 (ts, value, valid_from, run_id, series_id)
SELECT m.ts, 0, clock_timestamp(), 0, 0 FROM unnest(%(ts)s::timestamptz[]) AS m (ts)
