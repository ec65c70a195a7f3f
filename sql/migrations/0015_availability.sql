-- When values of series are usually available, so that what was back-filled can count as known then.
--
-- What is assumed is worked out as it is read, and is written nowhere: versions keep their times.

ALTER TABLE time_series ADD COLUMN availability jsonb;

-- Without a unit a fixed time after ts; with one so long after the beginning of the day, week, month,
-- quarter or year of ts, by the clocks of a zone.
CREATE FUNCTION time_series_available_at(availability jsonb, ts timestamptz)
RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN availability ->> 'unit' IS NULL THEN ts + (availability ->> 'shift')::interval
        ELSE (date_trunc(availability ->> 'unit', ts AT TIME ZONE (availability ->> 'zone'))
            + (availability ->> 'shift')::interval) AT TIME ZONE (availability ->> 'zone') END;
END;

-- Every version, and from when on it counts as known. The first version of an observation that came
-- with a backfill or the initial history counts from the time at which values of its series are
-- usually available, if that is earlier; all others from when they came. The join looks up each run by
-- its key: without LIMIT the planner may read all runs.
CREATE FUNCTION time_series_assumed_versions(
    names text[], start_ts timestamptz DEFAULT NULL, end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, series_id integer, ts timestamptz, value double precision,
               valid_from timestamptz, valid_to timestamptz, known_from timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, s.series_id, v.ts, v.value, v.valid_from,
           nullif(v.valid_to, 'infinity'),
           CASE WHEN v.is_first AND (r.kind = 'backfill'
                    OR v.valid_from <= coalesce(s.history_asked_at, 'infinity'))
               THEN least(v.valid_from, time_series_available_at(s.availability, v.ts))
               ELSE v.valid_from END
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT d.ts, d.value, d.valid_from, d.valid_to, d.run_id,
               lag(d.valid_to) OVER (PARTITION BY d.ts ORDER BY d.valid_to) IS NULL AS is_first
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
    ) AS v
    LEFT JOIN LATERAL (
        SELECT f.kind FROM fetch_run AS f WHERE f.run_id = v.run_id LIMIT 1
    ) AS r ON true
    WHERE s.endpoint_prefix = ANY (names);
END;

CREATE FUNCTION time_series_assumed_as_of(
    names text[], at timestamptz, start_ts timestamptz DEFAULT NULL, end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz, assumed boolean)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT v.series, v.ts, v.value, v.valid_from, v.valid_to, v.valid_from > at
    FROM time_series_assumed_versions(names, start_ts, end_ts) AS v
    WHERE v.known_from <= at AND coalesce(v.valid_to, 'infinity') > at;
END;

CREATE FUNCTION time_series_assumed_lead(
    names text[], lead interval, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz, assumed boolean)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT v.series, v.ts, v.value, v.valid_from, v.valid_to, v.valid_from > v.ts - lead
    FROM time_series_assumed_versions(names, start_ts, end_ts) AS v
    WHERE v.known_from <= v.ts - lead AND coalesce(v.valid_to, 'infinity') > v.ts - lead;
END;

CREATE FUNCTION time_series_assumed_cutoff(
    names text[], days_before integer, time_of_day time, zone text,
    start_ts timestamptz DEFAULT NULL, end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz, assumed boolean)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT v.series, v.ts, v.value, v.valid_from, v.valid_to, v.valid_from > c.decided_at
    FROM time_series_assumed_versions(names, start_ts, end_ts) AS v
    CROSS JOIN LATERAL (
        SELECT (date_trunc('day', v.ts AT TIME ZONE zone)
            - make_interval(days => days_before) + time_of_day) AT TIME ZONE zone AS decided_at
    ) AS c
    WHERE v.known_from <= c.decided_at AND coalesce(v.valid_to, 'infinity') > c.decided_at;
END;

CREATE FUNCTION time_series_assumed_at(
    names text[], times timestamptz[], decision_times timestamptz[])
RETURNS TABLE (number bigint, series text, ts timestamptz, decided_at timestamptz,
               value double precision, valid_from timestamptz, assumed boolean)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.number, n.name, r.ts, r.decided_at, v.value, v.valid_from,
           coalesce(v.valid_from > r.decided_at, false)
    FROM unnest(times, decision_times) WITH ORDINALITY AS r (ts, decided_at, number)
    CROSS JOIN unnest(names) WITH ORDINALITY AS n (name, position)
    LEFT JOIN LATERAL (
        SELECT a.value, a.valid_from
        FROM time_series_assumed_versions(
            ARRAY[n.name], r.ts, r.ts + interval '1 microsecond') AS a
        WHERE a.known_from <= r.decided_at AND coalesce(a.valid_to, 'infinity') > r.decided_at
        LIMIT 1
    ) AS v ON true
    WHERE EXISTS (SELECT FROM time_series AS s WHERE s.endpoint_prefix = n.name)
    ORDER BY r.number, n.position;
END;

COMMENT ON COLUMN time_series.availability IS
    'When its values are usually there, as sources.yaml says: as text; the unit of the calendar, '
    'what is added to its beginning, or to ts without a unit, and the zone.';
COMMENT ON FUNCTION time_series_available_at IS
    'When a value is usually available, by what is stated of its series.';
COMMENT ON FUNCTION time_series_assumed_versions IS
    'Every version, and from when on it counts as known if what came with a backfill or the '
    'initial history counts from when values of its series are usually available.';
COMMENT ON FUNCTION time_series_assumed_as_of IS
    'Series as they would have been known at a time; assumed says which values came later.';
COMMENT ON FUNCTION time_series_assumed_lead IS
    'For each ts the value that would have been known that long before it.';
COMMENT ON FUNCTION time_series_assumed_cutoff IS
    'For each ts the value that would have been known at a time of day so many local days before.';
COMMENT ON FUNCTION time_series_assumed_at IS
    'For each ts and decision time what would have been known then, in their order.';
