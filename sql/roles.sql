-- Roles for the daily work: one that brings the schema up to date and owns the tables, one that
-- fetches, and one that reads. To be run by an administrator of the database before the first
-- `dataportal migrate`, and by the owner of the tables after it and after each one that brings new
-- tables; more often is no harm:
--
--     dataportal migrate --print-grants | psql "$DATABASE_URL"
--
-- The writer adds versions and closes them, and can neither change nor delete one. None of the
-- roles can log in. Make roles that can, and are members:
--
--     CREATE ROLE owner LOGIN PASSWORD '…' IN ROLE dataportal_migrator;
--     CREATE ROLE fetcher LOGIN PASSWORD '…' IN ROLE dataportal_writer;
--     CREATE ROLE analyst LOGIN PASSWORD '…' IN ROLE dataportal_reader;
--
-- The grants are for the database of the connection and the schema that its search_path leads to.
-- Roles belong to the whole server; where it serves several portals, give each its own, by these
-- settings, which `--migrator`, `--writer` and `--reader` put before the script.

DO $$
DECLARE
    migrator CONSTANT text := coalesce(
        nullif(current_setting('dataportal.migrator', true), ''), 'dataportal_migrator');
    writer CONSTANT text := coalesce(
        nullif(current_setting('dataportal.writer', true), ''), 'dataportal_writer');
    reader CONSTANT text := coalesce(
        nullif(current_setting('dataportal.reader', true), ''), 'dataportal_reader');
    relations CONSTANT text := 'schema_migration, time_series, time_series_data,'
        ' time_series_data_history, time_series_vintage,'
        ' time_series_issue, fetch_run, source_state, request_slot, time_series_resolution,'
        ' backfill, verification';
    needed record;
    grantee text;
    question regprocedure;
    has_rights boolean;
BEGIN
    FOREACH grantee IN ARRAY ARRAY[migrator, writer, reader] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = grantee) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', grantee);
        END IF;
    END LOOP;

    -- what a role has is not given again: the owner of the tables may not be the one to do it
    FOR needed IN
        SELECT p.name, kind, o.object, p.privilege
        FROM (VALUES
            (migrator, 'DATABASE', 'CONNECT'), (migrator, 'SCHEMA', 'USAGE'),
            (migrator, 'SCHEMA', 'CREATE'),
            (writer, 'DATABASE', 'CONNECT'), (writer, 'SCHEMA', 'USAGE'),
            (reader, 'DATABASE', 'CONNECT'), (reader, 'SCHEMA', 'USAGE')
        ) AS p (name, kind, privilege)
        JOIN pg_roles AS role ON role.rolname = p.name
        JOIN (
            SELECT 'DATABASE', datname, datacl FROM pg_database WHERE datname = current_database()
            UNION ALL
            SELECT 'SCHEMA', nspname, nspacl FROM pg_namespace WHERE nspname = current_schema()
        ) AS o (kind, object, acl) USING (kind)
        WHERE NOT EXISTS (
            SELECT FROM aclexplode(o.acl) AS a
            WHERE a.grantee = role.oid AND a.privilege_type = p.privilege
        )
    LOOP
        EXECUTE format('GRANT %s ON %s %I TO %I',
            needed.privilege, needed.kind, needed.object, needed.name);
    END LOOP;

    IF to_regclass('time_series_data_scd2') IS NULL THEN
        RAISE NOTICE 'no tables yet: run dataportal migrate, then this again as their owner';
        RETURN;
    END IF;
    FOREACH grantee IN ARRAY ARRAY[writer, reader] LOOP
        -- what an earlier version of this file gave is taken back: the lists here are all there is
        EXECUTE format('REVOKE ALL ON %s FROM %I', relations, grantee);
        EXECUTE format('GRANT SELECT ON %s, time_series_data_scd2 TO %I', relations, grantee);
        FOR question IN
            SELECT oid FROM pg_proc
            WHERE pronamespace = current_schema()::regnamespace AND starts_with(proname, 'time_series_')
        LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', question, grantee);
        END LOOP;
    END LOOP;
    EXECUTE format('GRANT INSERT, UPDATE ON time_series, source_state, request_slot, verification'
        ' TO %I', writer);
    -- runs that wrote no version are forgotten after a while
    EXECUTE format('GRANT INSERT, UPDATE, DELETE ON fetch_run, time_series_data,'
        ' time_series_resolution TO %I', writer);
    EXECUTE format('REVOKE ALL ON time_series_data_scd2 FROM %I', reader);
    EXECUTE format('GRANT SELECT ON time_series_data_scd2 TO %I', reader);
    -- of a version nothing but its end can be written. Where that is so already, it is left alone: with
    -- the columnstore on, a TimescaleDB before 2.29 cannot grant a right to a column.
    SELECT array_agg(a.privilege_type ORDER BY a.privilege_type) = ARRAY['INSERT', 'SELECT']
           AND ARRAY['valid_to UPDATE'] = (
               SELECT array_agg(format('%s %s', t.attname, o.privilege_type))
               FROM pg_attribute AS t CROSS JOIN LATERAL aclexplode(t.attacl) AS o
               WHERE t.attrelid = c.oid AND o.grantee = role.oid)
    INTO has_rights
    FROM pg_class AS c
    JOIN pg_roles AS role ON role.rolname = writer
    CROSS JOIN LATERAL aclexplode(c.relacl) AS a
    WHERE c.oid = 'time_series_data_scd2'::regclass AND a.grantee = role.oid
    GROUP BY c.oid, role.oid;
    IF has_rights IS NOT TRUE THEN
        EXECUTE format('REVOKE ALL ON time_series_data_scd2 FROM %I', writer);
        BEGIN
            EXECUTE format(
                'GRANT SELECT, INSERT, UPDATE (valid_to) ON time_series_data_scd2 TO %I', writer);
        EXCEPTION WHEN undefined_column THEN
            RAISE EXCEPTION 'this TimescaleDB cannot grant a right to a column while the columnstore is on'
                USING HINT = 'Update it to 2.29, or run dataportal migrate --no-columnstore, this, and'
                    ' dataportal migrate --columnstore.';
        END;
    END IF;
    EXECUTE format('GRANT INSERT ON time_series_vintage, time_series_issue TO %I', writer);
    EXECUTE format('GRANT EXECUTE ON FUNCTION dataportal_newest_point(integer) TO %I', writer);
    -- with the rights of the owner, and of these tables alone
    EXECUTE format(
        'GRANT EXECUTE ON FUNCTION dataportal_open_chunks(text, timestamptz[]) TO %I', writer);
END
$$;
