-- Roles for the daily work: one that fetches, and one that reads. To be run by whoever owns the
-- tables, once, and again after each `dataportal migrate` that brings new ones; twice is no harm:
--
--     psql "$DATABASE_URL" -f sql/roles.sql
--
-- The writer adds versions and closes them, and can neither change nor delete one. Neither role can
-- log in. Make roles that can, and are members (where CREATE ROLE is refused, have an administrator
-- make both roles first; the rest needs the owner of the tables alone):
--
--     CREATE ROLE fetcher LOGIN PASSWORD '…' IN ROLE dataportal_writer;
--
-- The grants are for the database of the connection and the schema that its search_path leads to.
-- Roles belong to the whole server; where it serves several portals, give each its own:
--
--     psql "$DATABASE_URL" -c "SET dataportal.writer = 'grid_writer'" \
--         -c "SET dataportal.reader = 'grid_reader'" -f sql/roles.sql

DO $$
DECLARE
    writer CONSTANT text := coalesce(
        nullif(current_setting('dataportal.writer', true), ''), 'dataportal_writer');
    reader CONSTANT text := coalesce(
        nullif(current_setting('dataportal.reader', true), ''), 'dataportal_reader');
    relations CONSTANT text := 'schema_migration, time_series, time_series_data,'
        ' time_series_data_scd2, time_series_data_history, time_series_vintage, fetch_run,'
        ' source_state, request_slot';
    grantee text;
BEGIN
    FOREACH grantee IN ARRAY ARRAY[writer, reader] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = grantee) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', grantee);
        END IF;
        -- what an earlier version of this file gave is taken back: the lists here are all there is
        EXECUTE format('REVOKE ALL ON %s FROM %I', relations, grantee);
        EXECUTE format('GRANT SELECT ON %s TO %I', relations, grantee);
        EXECUTE format('GRANT EXECUTE ON FUNCTION time_series_data_as_of(timestamptz),'
            ' time_series_vintage_as_of(timestamptz) TO %I', grantee);
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), grantee);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), grantee);
    END LOOP;

    -- large slices are compared in a temporary table
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), writer);
    EXECUTE format('GRANT INSERT, UPDATE ON time_series, source_state, request_slot TO %I', writer);
    -- runs that wrote no version are forgotten after a while
    EXECUTE format('GRANT INSERT, UPDATE, DELETE ON fetch_run, time_series_data TO %I', writer);
    -- of a version nothing but its end can be written
    EXECUTE format('GRANT INSERT, UPDATE (valid_to) ON time_series_data_scd2 TO %I', writer);
    EXECUTE format('GRANT INSERT ON time_series_vintage TO %I', writer);
END
$$;
