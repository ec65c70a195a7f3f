-- Retractions of series at the same times: the current values go, their versions stay. Found as the
-- revised values are.
DELETE FROM time_series_data
WHERE ctid = ANY (ARRAY(
    SELECT found.ctid
    FROM unnest(%(series)s::integer[]) AS s (series_id)
    CROSS JOIN unnest(%(ts)s::timestamptz[]) AS t (ts)
    CROSS JOIN LATERAL (
        SELECT ctid FROM time_series_data WHERE series_id = s.series_id AND ts = t.ts OFFSET 0
    ) AS found
))
