-- When each series was first and last known to change, and the runs that revised: so that a look at a
-- series of any length reads a few rows.

-- all versions are read once
SET LOCAL statement_timeout = 0;

ALTER TABLE time_series
    ADD COLUMN first_known_at timestamptz,
    ADD COLUMN changed_at timestamptz;
UPDATE time_series AS s SET first_known_at = v.first_known, changed_at = v.last_known
FROM (
    SELECT series_id, min(valid_from) AS first_known,
           max(greatest(valid_from, nullif(valid_to, 'infinity'))) AS last_known
    FROM time_series_data_scd2 GROUP BY series_id
) AS v
WHERE v.series_id = s.series_id;

CREATE INDEX fetch_run_revising ON fetch_run (source, run_id DESC)
    WHERE revised > 0 OR retracted > 0;

COMMENT ON COLUMN time_series.first_known_at IS
    'When the first version of the series was stored; NULL = none is.';
COMMENT ON COLUMN time_series.changed_at IS
    'When a value of the series came, was revised or was withdrawn last; NULL = never.';
