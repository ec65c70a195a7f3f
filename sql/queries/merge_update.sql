-- Revisions: the current value becomes the new one.
UPDATE time_series_data AS d
SET value = b.value, updated_at = %(known)s, run_id = %(run)s
FROM unnest(%(series)s::integer[], %(ts)s::timestamptz[], %(value)s::double precision[])
    AS b (series_id, ts, value)
WHERE d.series_id = b.series_id AND d.ts = b.ts AND d.ts BETWEEN %(low)s AND %(high)s
