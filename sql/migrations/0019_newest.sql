-- The newest observation of a series that has no recent one. To look for it all chunks are planned
-- for, which of dozens takes longer than all else that a small run asks: so it is planned when it is
-- called, and only then. VOLATILE keeps it from becoming a part of the statement around it, which
-- plans at once; STRICT lets a statement that has found a recent one not call it, with NULL for the
-- series.

CREATE FUNCTION dataportal_newest_point(series integer)
RETURNS TABLE (ts timestamptz, updated_at timestamptz)
LANGUAGE sql VOLATILE STRICT
BEGIN ATOMIC
    SELECT d.ts, d.updated_at
    FROM time_series_data AS d
    WHERE d.series_id = series
    ORDER BY d.ts DESC
    LIMIT 1;
END;

COMMENT ON FUNCTION dataportal_newest_point(integer) IS
    'The newest observation of a series, and when it was written; planned only when it is called.';
