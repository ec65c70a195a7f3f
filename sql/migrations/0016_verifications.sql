-- What was verified, when, and with what result; and how far a verification has come that was broken
-- off, so that it can go on.

CREATE TABLE verification (
    verification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    since timestamptz,
    sample double precision,
    checks text[] NOT NULL,
    found bigint NOT NULL DEFAULT 0,
    progress jsonb,
    version text NOT NULL
);

COMMENT ON TABLE verification IS 'One row for each verification of the history.';
COMMENT ON COLUMN verification.since IS 'Observations before that were not looked at; NULL = all were.';
COMMENT ON COLUMN verification.sample IS 'The share that was looked at; NULL = everything.';
COMMENT ON COLUMN verification.checks IS 'Which promises were looked at.';
COMMENT ON COLUMN verification.found IS 'How many rows break a promise, so far.';
COMMENT ON COLUMN verification.progress IS 'What is left to be looked at; NULL at the end.';
