-- How series go on, so that one that stands still can be told.

ALTER TABLE time_series
    ADD COLUMN advances smallint NOT NULL DEFAULT 0,
    ADD COLUMN advanced_at timestamptz;
ALTER TABLE source_state ADD COLUMN lookback interval;

COMMENT ON COLUMN time_series.advances IS
    'How many scheduled runs brought a newer ts than all before, up to 2: then it is expected to go on.';
COMMENT ON COLUMN time_series.advanced_at IS
    'When a run last brought a newer ts than all before; NULL = not since this column is here.';
COMMENT ON COLUMN source_state.lookback IS
    'How far its last run asked again before the newest ts: of the entry, or of the plugin.';
