-- Whether the tables can be distributed: the extension that does it, and the one that has made them
-- hypertables.
SELECT (SELECT extversion FROM pg_extension WHERE extname = 'citus') AS citus,
       EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') AS has_timescaledb
