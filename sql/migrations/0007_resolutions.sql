-- How long the intervals of a series are, from which time on: what a value covers changes with it.

CREATE TABLE time_series_resolution (
    ts_from timestamptz NOT NULL,
    resolution interval,
    run_id bigint NOT NULL,
    series_id integer NOT NULL,
    PRIMARY KEY (series_id, ts_from)
);

-- Bound to its table whatever the caller's search_path; the planner inlines it.
CREATE FUNCTION time_series_resolution_at(series integer, at timestamptz) RETURNS interval
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.resolution FROM time_series_resolution AS r
    WHERE r.series_id = series AND r.ts_from <= at
    ORDER BY r.ts_from DESC LIMIT 1;
END;

COMMENT ON TABLE time_series_resolution IS
    'How long the intervals of a series are, from which ts on; one row for each change.';
COMMENT ON COLUMN time_series_resolution.ts_from IS
    'The first ts whose interval is of this length; it holds up to the next row of the series.';
COMMENT ON COLUMN time_series_resolution.resolution IS
    'From ts to the end of the interval: 15 minutes, 1 day, 1 mon. Days and months are those of the '
    'provider''s calendar. NULL: the points come at no regular distance.';
COMMENT ON COLUMN time_series_resolution.run_id IS 'The run that found it.';
COMMENT ON FUNCTION time_series_resolution_at(integer, timestamptz) IS
    'How long the interval of a series is that begins at a time; NULL where that is not known.';
