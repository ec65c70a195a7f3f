-- Inserts open versions, few of them.
INSERT INTO time_series_data_scd2 (ts, value, valid_from, run_id, series_id)
SELECT b.ts, b.value, %(known)s, %(run)s, b.series_id
FROM unnest(%(series)s::integer[], %(ts)s::timestamptz[], %(value)s::double precision[])
    AS b (series_id, ts, value)
