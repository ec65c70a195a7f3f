-- What server this is: for healthcheck.
SELECT current_setting('server_version') AS server_version,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
       (SELECT extversion FROM pg_extension WHERE extname = 'citus') AS citus,
       current_setting('server_encoding') AS encoding
