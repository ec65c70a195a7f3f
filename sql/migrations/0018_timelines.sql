-- On which server a source was last written: one that took over may lack the last of what was stored.

ALTER TABLE source_state ADD COLUMN server_started_at timestamptz;
ALTER TABLE source_state ADD COLUMN timeline integer;

COMMENT ON COLUMN source_state.server_started_at IS
    'When the server had started that the last run of the source wrote to.';
COMMENT ON COLUMN source_state.timeline IS
    'The timeline of that server: a higher one has been a standby, or was restored to a time.';
