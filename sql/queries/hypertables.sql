-- Makes the data tables hypertables on ts where TimescaleDB is there, and leaves them so; plain
-- tables do the same work where it is not.

DO $$
DECLARE
    home text;
    relation text;
    kind text;
    is_full boolean;
    times timestamptz[];
BEGIN
    SELECT n.nspname INTO home
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'timescaledb'
      AND string_to_array(split_part(e.extversion, '-', 1), '.')::int[] >= ARRAY[2, 13];
    IF home IS NULL THEN
        RETURN;
    END IF;
    -- A year a chunk: 20 years of hourly data are 20 chunks, and so are 20 years of monthly data.
    -- The default index on ts is one that nothing here would use.
    FOR relation, kind IN VALUES
        ('time_series_data', 'data'), ('time_series_data_scd2', 'history'),
        ('time_series_vintage', 'vintages')
    LOOP
        -- a later migration brings it
        CONTINUE WHEN to_regclass(format('%I.%I', current_schema(), relation)) IS NULL;
        CONTINUE WHEN EXISTS (
            SELECT FROM timescaledb_information.hypertables AS h
            WHERE h.hypertable_schema = current_schema() AND h.hypertable_name = relation
        );
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', current_schema(), relation)
            INTO is_full;
        IF is_full THEN
            -- a later migration brings what opens chunks as wide as what is there asks for
            CONTINUE WHEN to_regprocedure(format(
                '%I.dataportal_open_chunks(text, timestamptz[])', current_schema())) IS NULL;
            EXECUTE format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE', current_schema(), relation);
            EXECUTE format(
                'CREATE UNLOGGED TABLE dataportal_move AS SELECT * FROM %I.%I',
                current_schema(), relation);
            EXECUTE format('TRUNCATE %I.%I', current_schema(), relation);
        END IF;
        EXECUTE format(
            'SELECT %1$I.create_hypertable(%2$L::regclass, %1$I.by_range(%3$L, INTERVAL %4$L),'
            ' create_default_indexes => false)',
            home, format('%I.%I', current_schema(), relation), 'ts', '365 days');
        IF is_full THEN
            SELECT array_agg(f.ts) INTO times FROM (
                SELECT min(m.ts) AS ts FROM dataportal_move AS m
                GROUP BY date_bin('365 days', m.ts, '1970-01-01 00:00:00+00')
            ) AS f;
            EXECUTE format('SELECT %I.dataportal_open_chunks($1, $2)', current_schema())
                USING kind, times;
            EXECUTE format(
                'INSERT INTO %I.%I SELECT * FROM dataportal_move', current_schema(), relation);
            DROP TABLE dataportal_move;
        END IF;
    END LOOP;
END
$$;
