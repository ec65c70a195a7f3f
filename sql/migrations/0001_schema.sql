-- The tables of dataportal: series, their current values, every version of them, and the runs.

CREATE TABLE time_series (
    series_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_prefix text NOT NULL UNIQUE,
    name text,
    description text,
    source text NOT NULL,
    granularity text,
    unit text,
    domain text,
    category text,
    subcategory text,
    update_frequency text,
    ts_timezone text,
    metadata jsonb NOT NULL DEFAULT '{}',
    history_asked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX time_series_source ON time_series (source);

-- Eight-byte columns first: no padding between them.
CREATE TABLE time_series_data (
    ts timestamptz NOT NULL,
    value double precision NOT NULL,
    updated_at timestamptz NOT NULL,
    run_id bigint NOT NULL,
    series_id integer NOT NULL,
    PRIMARY KEY (series_id, ts)
);

-- UNIQUE with 'infinity' for open versions: one index allows one open version at most, and finds
-- the version that was valid at any time.
CREATE TABLE time_series_data_scd2 (
    ts timestamptz NOT NULL,
    value double precision NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL DEFAULT 'infinity',
    run_id bigint NOT NULL,
    series_id integer NOT NULL,
    UNIQUE (series_id, ts, valid_to),
    CHECK (valid_from < valid_to)
);

CREATE VIEW time_series_data_history AS
SELECT series_id, ts, value, valid_from, nullif(valid_to, 'infinity') AS valid_to,
       valid_to = 'infinity' AS is_current, run_id
FROM time_series_data_scd2;

CREATE TABLE fetch_run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('scheduled', 'backfill')),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome text CHECK (outcome IN
        ('succeeded', 'unchanged', 'empty', 'partial', 'failed', 'skipped', 'interrupted')),
    window_start timestamptz NOT NULL,
    window_end timestamptz,
    done_until timestamptz,
    received bigint NOT NULL DEFAULT 0,
    inserted bigint NOT NULL DEFAULT 0,
    revised bigint NOT NULL DEFAULT 0,
    retracted bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    duplicates bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    outside bigint NOT NULL DEFAULT 0,
    withheld bigint NOT NULL DEFAULT 0,
    nulls bigint NOT NULL DEFAULT 0,
    error text,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL
);
CREATE INDEX fetch_run_source ON fetch_run (source, run_id DESC);
CREATE INDEX fetch_run_prunable ON fetch_run (source, started_at)
    WHERE finished_at IS NOT NULL AND inserted = 0 AND revised = 0 AND retracted = 0;

-- One row a source, updated in place; room on the page keeps the updates off the index.
CREATE TABLE source_state (
    source text PRIMARY KEY,
    last_attempt_at timestamptz,
    last_outcome text,
    last_success_at timestamptz,
    last_knowledge_time timestamptz,
    known_through timestamptz,
    failures integer NOT NULL DEFAULT 0,
    last_error text,
    http_validators jsonb
) WITH (fillfactor = 70);

-- Bound to its tables whatever the caller's search_path; the planner inlines it.
CREATE FUNCTION time_series_data_as_of(at timestamptz)
RETURNS TABLE (series_id integer, ts timestamptz, value double precision,
               valid_from timestamptz, valid_to timestamptz, run_id bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT v.series_id, v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity'), v.run_id
    FROM time_series_data_scd2 AS v
    WHERE v.valid_from <= at AND v.valid_to > at;
END;

COMMENT ON TABLE time_series IS 'One row a series, as sources.yaml describes it.';
COMMENT ON COLUMN time_series.source IS 'The source that writes this series; no other one may.';
COMMENT ON COLUMN time_series.history_asked_at IS
    'When the initial history had been asked for once; NULL = not yet.';
COMMENT ON TABLE time_series_data IS 'The current value of every observation.';
COMMENT ON COLUMN time_series_data.ts IS 'Start of the interval observed.';
COMMENT ON COLUMN time_series_data.updated_at IS 'When this database came to know this value.';
COMMENT ON TABLE time_series_data_scd2 IS
    'Every version of every observation; append-only but for the closing of valid_to.';
COMMENT ON COLUMN time_series_data_scd2.valid_from IS
    'Knowledge time: when this database came to know the value (inclusive). Not the "valid time" '
    'of bitemporal theory: when the value holds in the world is ts.';
COMMENT ON COLUMN time_series_data_scd2.valid_to IS
    'Knowledge time: until when the value was the one known (exclusive); infinity = still.';
COMMENT ON VIEW time_series_data_history IS
    'Every version, with valid_to NULL for those still current.';
COMMENT ON TABLE fetch_run IS 'One row for each attempt at one source.';
COMMENT ON COLUMN fetch_run.outcome IS 'NULL = running, or killed if nobody holds the lock.';
COMMENT ON COLUMN fetch_run.done_until IS 'Everything before was fetched and committed.';
COMMENT ON TABLE source_state IS 'What is remembered of a source between its runs.';
COMMENT ON COLUMN source_state.known_through IS 'As of any time up to here is final.';
COMMENT ON FUNCTION time_series_data_as_of(timestamptz) IS
    'All observations as this database knew them at that time.';
