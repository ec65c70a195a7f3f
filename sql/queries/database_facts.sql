-- What server this is: for healthcheck.
SELECT current_setting('server_version'),
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
       pg_is_in_recovery(),
       EXISTS (SELECT FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
               WHERE c.oid = to_regclass('time_series_data') AND t.tgname = 'ts_insert_blocker')
