-- What providers say of their own revisions: values by the time of their publication.

CREATE TABLE time_series_vintage (
    ts timestamptz NOT NULL,
    published_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    value double precision,
    run_id bigint NOT NULL,
    series_id integer NOT NULL
);
-- Newest first: the vintage that was current at any time is the first entry from there on.
CREATE UNIQUE INDEX time_series_vintage_newest
    ON time_series_vintage (series_id, ts, published_at DESC, recorded_at DESC);

-- A run that recorded a publication is kept like one that wrote a version.
ALTER TABLE fetch_run ADD COLUMN vintages bigint NOT NULL DEFAULT 0;
DROP INDEX fetch_run_prunable;
CREATE INDEX fetch_run_prunable ON fetch_run (source, started_at)
    WHERE finished_at IS NOT NULL AND inserted = 0 AND revised = 0 AND retracted = 0
      AND vintages = 0;

-- Bound to its table whatever the caller's search_path; the planner inlines it.
CREATE FUNCTION time_series_vintage_as_of(at timestamptz)
RETURNS TABLE (series_id integer, ts timestamptz, value double precision,
               published_at timestamptz, recorded_at timestamptz, run_id bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT DISTINCT ON (v.series_id, v.ts)
           v.series_id, v.ts, v.value, v.published_at, v.recorded_at, v.run_id
    FROM time_series_vintage AS v
    WHERE v.published_at <= at
    ORDER BY v.series_id, v.ts, v.published_at DESC, v.recorded_at DESC;
END;

COMMENT ON TABLE time_series_vintage IS
    'Every value that a provider published, with the time that it gives for it; append-only.';
COMMENT ON COLUMN time_series_vintage.published_at IS
    'When the provider published the value, as it says itself.';
COMMENT ON COLUMN time_series_vintage.recorded_at IS
    'Knowledge time: when this database came to know it. Of two records of one publication the '
    'later one answers.';
COMMENT ON COLUMN time_series_vintage.value IS 'NULL = withdrawn, or published as "no value".';
COMMENT ON COLUMN fetch_run.vintages IS 'How many publications the run recorded.';
COMMENT ON FUNCTION time_series_vintage_as_of(timestamptz) IS
    'All observations as their providers had published them by that time; NULL = withdrawn.';
