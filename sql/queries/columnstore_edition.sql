-- What TimescaleDB the database has, and whether its license is the one with the columnstore: no row
-- where it has none. The license is unknown until the extension was used in a session.
SELECT e.extversion AS version, n.nspname AS home,
       coalesce(current_setting('timescaledb.license', true), '') AS license
FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'timescaledb'
