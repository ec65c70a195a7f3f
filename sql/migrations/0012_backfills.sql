-- A backfill of several sources is remembered as one thing, so that it can go on as one.

CREATE TABLE backfill (
    backfill_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    window_start timestamptz NOT NULL,
    window_end timestamptz,
    finished_at timestamptz,
    sources text[] NOT NULL
);
CREATE INDEX backfill_unfinished ON backfill (backfill_id) WHERE finished_at IS NULL;
ALTER TABLE fetch_run ADD COLUMN backfill_id bigint;
CREATE INDEX fetch_run_backfill ON fetch_run (backfill_id) WHERE backfill_id IS NOT NULL;

COMMENT ON TABLE backfill IS 'One row for each backfill of several sources: what was to be fetched.';
COMMENT ON COLUMN backfill.window_end IS 'NULL: up to the newest there is.';
COMMENT ON COLUMN backfill.sources IS 'The sources, in the order in which they are begun.';
COMMENT ON COLUMN fetch_run.backfill_id IS 'The backfill of several sources that the run is part of.';
