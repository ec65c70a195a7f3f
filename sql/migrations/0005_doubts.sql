-- What is doubted of a source stays until its entry settles it, however many runs end well meanwhile.

ALTER TABLE source_state ADD COLUMN doubts jsonb;

COMMENT ON COLUMN source_state.doubts IS
    'What a person is to look at, by kind: since when, and the message. NULL: nothing.';
