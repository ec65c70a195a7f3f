-- The server's timeline, which rises when a standby takes over: the first part of the name of its log.
SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
