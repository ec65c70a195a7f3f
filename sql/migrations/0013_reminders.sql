-- A failure that was told and does not change need not be told at each run.

ALTER TABLE source_state ADD COLUMN reminded_at timestamptz;

COMMENT ON COLUMN source_state.reminded_at IS
    'When a failure of the source was last told, by a run with --remind.';
