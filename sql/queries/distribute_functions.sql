-- Gives the functions of points in time a form that an engine can run which shards the tables: it
-- takes no parameters of a function that it would have to put into the caller's statement. Each is
-- made of the very text that it has, so that names and answers stay; and those that look up one row for
-- each of many times, even where there is none, are written out. Of series that are named the numbers
-- are looked up first: so that only the machines are asked which have them. What is so already stays.

DO $$
DECLARE
    home text := current_schema();
    path text := current_setting('search_path');
    series_of_names text := format(
        'machine_series integer[] := ARRAY(SELECT s.series_id FROM %I.time_series AS s '
        'WHERE s.endpoint_prefix = ANY (names));', home);
    one record;
BEGIN
    -- so that every table is named with its schema, whoever calls
    SET LOCAL search_path = pg_catalog;
    FOR one IN
        SELECT p.oid, p.proname, pg_get_function_sqlbody(p.oid) AS body,
               pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
               obj_description(p.oid, 'pg_proc') AS comment
        FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
        WHERE p.pronamespace = home::regnamespace AND l.lanname = 'sql' AND p.prosqlbody IS NOT NULL
          AND p.proretset AND p.proname LIKE 'time\_series\_%'
          AND p.proname NOT IN (
            'time_series_known_at', 'time_series_published_at', 'time_series_assumed_versions')
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE plpgsql STABLE AS %L',
            home, one.proname, one.arguments, one.result,
            '#variable_conflict use_column'
            || CASE WHEN one.arguments LIKE 'names text[]%'
                    THEN E'\nDECLARE ' || series_of_names ELSE '' END
            || regexp_replace(
                regexp_replace(
                    regexp_replace(
                        -- a machine keeps apart what it has all of
                        regexp_replace(
                            one.body, 'PARTITION BY (\w+)\.ts\M', 'PARTITION BY \1.series_id, \1.ts', 'g'),
                        '\(d\.series_id = (\w+)\.series_id\)',
                        '(d.series_id = \1.series_id) AND (d.series_id = ANY (machine_series))', 'g'),
                    '^\s*BEGIN ATOMIC', E'\nBEGIN\nRETURN QUERY'),
                'END\s*$', E'END'));
    END LOOP;
    EXECUTE format($function$
        CREATE OR REPLACE FUNCTION %1$I.time_series_known_at(
            names text[], times timestamptz[], decision_times timestamptz[])
        RETURNS TABLE (number bigint, series text, ts timestamptz, decided_at timestamptz,
                       value double precision, valid_from timestamptz)
        LANGUAGE plpgsql STABLE AS $body$
        #variable_conflict use_column
        DECLARE %2$s
        BEGIN
        RETURN QUERY
        WITH request AS MATERIALIZED (
            SELECT r.number, n.position, s.endpoint_prefix, s.series_id, r.ts, r.decided_at
            FROM unnest(times, decision_times) WITH ORDINALITY AS r (ts, decided_at, number)
            CROSS JOIN unnest(names) WITH ORDINALITY AS n (name, position)
            JOIN %1$I.time_series AS s ON s.endpoint_prefix = n.name
        ), answer AS (
            SELECT q.number, q.position, v.value, v.valid_from
            FROM request AS q
            JOIN %1$I.time_series_data_scd2 AS v ON v.series_id = q.series_id AND v.ts = q.ts
                AND v.series_id = ANY (machine_series)
                AND v.valid_from <= q.decided_at AND v.valid_to > q.decided_at
        )
        SELECT q.number, q.endpoint_prefix, q.ts, q.decided_at, a.value, a.valid_from
        FROM request AS q
        LEFT JOIN answer AS a ON a.number = q.number AND a.position = q.position
        ORDER BY q.number, q.position;
        END
        $body$
    $function$, home, series_of_names);
    EXECUTE format($function$
        CREATE OR REPLACE FUNCTION %1$I.time_series_assumed_versions(
            names text[], start_ts timestamptz DEFAULT NULL, end_ts timestamptz DEFAULT NULL)
        RETURNS TABLE (series text, series_id integer, ts timestamptz, value double precision,
                       valid_from timestamptz, valid_to timestamptz, known_from timestamptz)
        LANGUAGE plpgsql STABLE AS $body$
        #variable_conflict use_column
        DECLARE %2$s
        BEGIN
        RETURN QUERY
        WITH version AS MATERIALIZED (
            SELECT d.series_id, d.ts, d.value, d.valid_from, d.valid_to, d.run_id,
                   lag(d.valid_to) OVER (
                       PARTITION BY d.series_id, d.ts ORDER BY d.valid_to) IS NULL AS is_first
            FROM %1$I.time_series_data_scd2 AS d
            WHERE d.series_id = ANY (machine_series)
              AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
        )
        SELECT s.endpoint_prefix, s.series_id, v.ts, v.value, v.valid_from,
               nullif(v.valid_to, 'infinity'),
               CASE WHEN v.is_first AND (r.kind = 'backfill'
                        OR v.valid_from <= coalesce(s.history_asked_at, 'infinity'))
                   THEN least(v.valid_from, %1$I.time_series_available_at(s.availability, v.ts))
                   ELSE v.valid_from END
        FROM version AS v
        JOIN %1$I.time_series AS s ON s.series_id = v.series_id
        LEFT JOIN %1$I.fetch_run AS r ON r.run_id = v.run_id;
        END
        $body$
    $function$, home, series_of_names);
    EXECUTE format($function$
        CREATE OR REPLACE FUNCTION %1$I.time_series_published_at(
            names text[], times timestamptz[], decision_times timestamptz[],
            recorded_by timestamptz)
        RETURNS TABLE (number bigint, series text, ts timestamptz, decided_at timestamptz,
                       value double precision, published_at timestamptz, recorded_at timestamptz)
        LANGUAGE plpgsql STABLE AS $body$
        #variable_conflict use_column
        DECLARE %2$s
        BEGIN
        RETURN QUERY
        WITH request AS MATERIALIZED (
            SELECT r.number, n.position, s.endpoint_prefix, s.series_id, r.ts, r.decided_at
            FROM unnest(times, decision_times) WITH ORDINALITY AS r (ts, decided_at, number)
            CROSS JOIN unnest(names) WITH ORDINALITY AS n (name, position)
            JOIN %1$I.time_series AS s ON s.endpoint_prefix = n.name
        ), answer AS (
            SELECT DISTINCT ON (v.series_id, q.number, q.position)
                   q.number, q.position, v.value, v.published_at, v.recorded_at
            FROM request AS q
            JOIN %1$I.time_series_vintage AS v ON v.series_id = q.series_id AND v.ts = q.ts
                AND v.series_id = ANY (machine_series)
                AND v.published_at <= q.decided_at AND v.recorded_at <= recorded_by
            ORDER BY v.series_id, q.number, q.position, v.published_at DESC, v.recorded_at DESC
        )
        SELECT q.number, q.endpoint_prefix, q.ts, q.decided_at, a.value, a.published_at,
               a.recorded_at
        FROM request AS q
        LEFT JOIN answer AS a ON a.number = q.number AND a.position = q.position
        ORDER BY q.number, q.position;
        END
        $body$
    $function$, home, series_of_names);
    PERFORM set_config('search_path', path, true);
END
$$
