-- Ends open versions at K: of revisions and retractions of series at the same times. Rows are found
-- as in merge_update.sql.
UPDATE time_series_data_scd2
SET valid_to = %(known)s
WHERE ctid = ANY (ARRAY(
    SELECT stored.ctid
    FROM unnest(%(series)s::integer[]) AS s (series_id)
    CROSS JOIN unnest(%(ts)s::timestamptz[]) AS t (ts)
    CROSS JOIN LATERAL (
        SELECT ctid FROM time_series_data_scd2
        WHERE series_id = s.series_id AND ts = t.ts AND valid_to = 'infinity' OFFSET 0
    ) AS stored
))
