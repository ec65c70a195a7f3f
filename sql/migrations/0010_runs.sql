-- What happened can be looked up quickly, and a run that was killed can be told from one that waits.

ALTER TABLE fetch_run ADD COLUMN unlocked_until timestamptz;
ALTER TABLE source_state ADD COLUMN failing_since timestamptz;

CREATE INDEX fetch_run_started ON fetch_run (started_at);
CREATE INDEX fetch_run_not_well ON fetch_run (started_at)
    WHERE outcome IS NULL OR outcome IN ('failed', 'partial', 'interrupted');
CREATE INDEX fetch_run_open ON fetch_run (source) WHERE finished_at IS NULL;

COMMENT ON COLUMN fetch_run.unlocked_until IS
    'A run that leaves its lock to others, or waits for its next attempt, says until when; without '
    'lock and end it counts as killed only after that.';
COMMENT ON COLUMN source_state.failing_since IS
    'When the first of the failed attempts in a row began; NULL = the last attempt did not fail.';
