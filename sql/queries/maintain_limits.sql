-- For a session that keeps the tables up: who waits for its lock waits for a moment only, and it
-- itself works as long as is left.
SELECT set_config('lock_timeout', %(lock)s, false), set_config('statement_timeout', %(work)s, false)
