-- Inserts current values, few of them: known to be new, so a plain INSERT.
INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)
SELECT b.ts, b.value, %(known)s, %(run)s, b.series_id
FROM unnest(%(series)s::integer[], %(ts)s::timestamptz[], %(value)s::double precision[])
    AS b (series_id, ts, value)
