-- Deletes the current values of retractions of series at the same times; their versions stay. Rows
-- are found as in merge_update.sql.
DELETE FROM time_series_data
WHERE ctid = ANY (ARRAY(
    SELECT stored.ctid
    FROM unnest(%(series)s::integer[]) AS s (series_id)
    CROSS JOIN unnest(%(ts)s::timestamptz[]) AS t (ts)
    CROSS JOIN LATERAL (
        SELECT ctid FROM time_series_data WHERE series_id = s.series_id AND ts = t.ts OFFSET 0
    ) AS stored
))
