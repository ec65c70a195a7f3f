-- Revises current values of series at the same times. The new value is found by binary searches in
-- the ascending series and times. Each row is looked up by its key and written
-- where it lies; so written, that does not depend on statistics, which a table that was just filled
-- does not have.
UPDATE time_series_data
SET value = (%(value)s::double precision[])[
        (width_bucket(series_id, %(series)s::integer[]) - 1) * %(size)s
        + width_bucket(ts, %(ts)s::timestamptz[])],
    updated_at = %(known)s, run_id = %(run)s
WHERE ctid = ANY (ARRAY(
    SELECT stored.ctid
    FROM unnest(%(series)s::integer[]) AS s (series_id)
    CROSS JOIN unnest(%(ts)s::timestamptz[]) AS t (ts)
    CROSS JOIN LATERAL (
        SELECT ctid FROM time_series_data WHERE series_id = s.series_id AND ts = t.ts OFFSET 0
    ) AS stored
))
