-- Makes the data tables hypertables on ts where TimescaleDB is there, and leaves them so; plain
-- tables do the same work where it is not.

DO $$
DECLARE
    home text;
    relation text;
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
    FOREACH relation IN ARRAY
        ARRAY['time_series_data', 'time_series_data_scd2', 'time_series_vintage']
    LOOP
        -- a later migration brings it
        CONTINUE WHEN to_regclass(format('%I.%I', current_schema(), relation)) IS NULL;
        EXECUTE format(
            'SELECT %1$I.create_hypertable(%2$L::regclass, %1$I.by_range(%3$L, INTERVAL %4$L),'
            ' create_default_indexes => false, migrate_data => true, if_not_exists => true)',
            home, format('%I.%I', current_schema(), relation), 'ts', '365 days');
    END LOOP;
END
$$;
