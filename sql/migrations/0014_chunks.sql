-- How much time a chunk of a hypertable covers follows from its ts alone: what is old is sparse, and
-- each chunk costs room, locks, and time to plan every question of every series. The interval
-- belongs to the owner of a table; so a function of the owner opens chunks for whoever writes.

-- Names are qualified, and nothing in the path of the caller is looked at.
CREATE FUNCTION dataportal_open_chunks_of(relation regclass, stamps text[], times timestamptz[])
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    century CONSTANT interval := '36500 days';
    decade CONSTANT interval := '3650 days';
    missing_times CONSTANT text :=
        'SELECT array_agg(t.ts ORDER BY t.ts)'
        ' FROM unnest($1) AS t (ts)'
        ' WHERE isfinite(t.ts) AND NOT EXISTS ('
        '     SELECT FROM timescaledb_information.chunks AS k'
        '     WHERE k.hypertable_schema = $2 AND k.hypertable_name = $3'
        '       AND k.range_start <= t.ts AND k.range_end > t.ts)';
    home text;
    portal name;
    table_name name;
    regular interval;
    width interval;
    missing timestamptz[];
    marks timestamptz[];
    opened integer := 0;
BEGIN
    SELECT n.nspname INTO home
    FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
    WHERE e.extname = 'timescaledb';
    IF home IS NULL OR relation IS NULL THEN
        RETURN 0;
    END IF;
    SELECT n.nspname, c.relname INTO portal, table_name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = relation;
    EXECUTE missing_times INTO missing USING times, portal, table_name;
    IF missing IS NULL THEN
        RETURN 0;
    END IF;

    -- the lock that TimescaleDB itself takes to open a chunk: nobody else opens one meanwhile
    EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', relation);
    SELECT d.time_interval INTO regular
    FROM timescaledb_information.dimensions AS d
    WHERE d.hypertable_schema = portal AND d.hypertable_name = table_name AND d.column_name = 'ts';
    IF regular IS NULL THEN
        RETURN 0;
    END IF;
    FOREACH width IN ARRAY ARRAY[century, decade, regular] LOOP
        -- what others have opened before the lock was there is no longer missing
        EXECUTE missing_times INTO missing USING missing, portal, table_name;
        SELECT array_agg(t.ts) INTO marks
        FROM unnest(missing) AS t (ts)
        WHERE width = CASE
            WHEN t.ts < '1970-01-01 00:00:00+00' THEN greatest(century, regular)
            WHEN t.ts < clock_timestamp() - INTERVAL '10 years' THEN greatest(decade, regular)
            ELSE regular
        END;
        CONTINUE WHEN marks IS NULL;
        -- of this transaction alone: it is back before anybody else can see it
        IF width <> regular THEN
            EXECUTE format('SELECT %I.set_chunk_time_interval($1, $2)', home) USING relation, width;
        END IF;
        -- a row of no series opens a chunk in every edition, and goes as it came
        EXECUTE format(
            'INSERT INTO %s (ts, value, run_id, series_id, %s)'
            ' SELECT t.ts, 0, 0, 0, %s FROM unnest($1) AS t (ts)',
            relation, array_to_string(stamps, ', '),
            array_to_string(array_fill('clock_timestamp()'::text, ARRAY[cardinality(stamps)]), ', '))
            USING marks;
        EXECUTE format(
            'DELETE FROM %s WHERE series_id = 0 AND ts = ANY ($1) AND ts BETWEEN $2 AND $3', relation)
            USING marks, marks[1], marks[cardinality(marks)];
        IF width <> regular THEN
            EXECUTE format('SELECT %I.set_chunk_time_interval($1, $2)', home)
                USING relation, regular;
        END IF;
        opened := opened + cardinality(marks);
    END LOOP;
    RETURN opened;
END
$$;

-- Bound to its tables whatever the caller's search_path: the only ones that it leads to.
CREATE FUNCTION dataportal_open_chunks(kind text, times timestamptz[])
RETURNS integer
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE kind
        WHEN 'data' THEN
            dataportal_open_chunks_of('time_series_data'::regclass, ARRAY['updated_at'], times)
        WHEN 'history' THEN
            dataportal_open_chunks_of('time_series_data_scd2'::regclass, ARRAY['valid_from'], times)
        WHEN 'vintages' THEN
            dataportal_open_chunks_of(
                'time_series_vintage'::regclass, ARRAY['published_at', 'recorded_at'], times)
    END;
END;

REVOKE ALL ON FUNCTION dataportal_open_chunks_of(regclass, text[], timestamptz[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION dataportal_open_chunks(text, timestamptz[]) FROM PUBLIC;

-- Who could write versions before may do so as before.
DO $$
DECLARE
    writer regrole;
BEGIN
    FOR writer IN
        SELECT a.grantee::regrole
        FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.oid = 'time_series_data_scd2'::regclass
          AND a.privilege_type = 'INSERT' AND a.grantee <> 0 AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION dataportal_open_chunks(text, timestamptz[]) TO %s',
            writer);
    END LOOP;
END
$$;

COMMENT ON FUNCTION dataportal_open_chunks(text, timestamptz[]) IS
    'Opens the chunks that are missing for these times: of a century before 1970, of ten years for '
    'what is older than ten years, else of the interval of the table. Does nothing without TimescaleDB.';
COMMENT ON FUNCTION dataportal_open_chunks_of(regclass, text[], timestamptz[]) IS
    'What dataportal_open_chunks does, for one table; without rights of its own.';
