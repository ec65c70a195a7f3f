-- Questions of points in time by the names of series: what was known, or published, at which time.
--
-- Each is one statement, bound to its tables whatever the caller's search_path, which the planner
-- puts into the caller's. DISTINCT ON keeps a series' rows apart: for each series there is one look into
-- the index, in the order of ts, whatever else the tables hold, and a condition on ts still reaches
-- it. Ranges of ts are half open; NULL leaves an end open.

-- an index of a large table takes its time
SET LOCAL statement_timeout = 0;

CREATE INDEX time_series_vintage_published ON time_series_vintage (series_id, published_at);

-- What a run of a forecast answered: nothing else tells it where values stayed as they were.
CREATE TABLE time_series_issue (
    issued_at timestamptz NOT NULL,
    first_ts timestamptz NOT NULL,
    last_ts timestamptz NOT NULL,
    run_id bigint NOT NULL,
    series_id integer NOT NULL,
    points integer NOT NULL,
    PRIMARY KEY (series_id, issued_at),
    CHECK (first_ts <= last_ts)
);
-- A run that issued a forecast is kept like one that wrote a version.
ALTER TABLE fetch_run ADD COLUMN issues bigint NOT NULL DEFAULT 0;
DROP INDEX fetch_run_prunable;
CREATE INDEX fetch_run_prunable ON fetch_run (source, started_at)
    WHERE finished_at IS NOT NULL AND inserted = 0 AND revised = 0 AND retracted = 0
      AND vintages = 0 AND issues = 0;

CREATE FUNCTION time_series_known_as_of(
    names text[], at timestamptz, start_ts timestamptz DEFAULT NULL, end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity')
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.ts) d.ts, d.value, d.valid_from, d.valid_to
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.valid_from <= at AND d.valid_to > at
        ORDER BY d.ts
    ) AS v
    WHERE s.endpoint_prefix = ANY (names);
END;

CREATE FUNCTION time_series_known_lead(
    names text[], lead interval, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity')
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.ts) d.ts, d.value, d.valid_from, d.valid_to
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.valid_from <= d.ts - lead AND d.valid_to > d.ts - lead
        ORDER BY d.ts
    ) AS v
    WHERE s.endpoint_prefix = ANY (names);
END;

CREATE FUNCTION time_series_known_cutoff(
    names text[], days_before integer, time_of_day time, zone text,
    start_ts timestamptz DEFAULT NULL, end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity')
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.ts) d.ts, d.value, d.valid_from, d.valid_to
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.valid_from <= (date_trunc('day', d.ts AT TIME ZONE zone)
              - make_interval(days => days_before) + time_of_day) AT TIME ZONE zone
          AND d.valid_to > (date_trunc('day', d.ts AT TIME ZONE zone)
              - make_interval(days => days_before) + time_of_day) AT TIME ZONE zone
        ORDER BY d.ts
    ) AS v
    WHERE s.endpoint_prefix = ANY (names);
END;

CREATE FUNCTION time_series_known_issues(
    names text[], issued_from timestamptz DEFAULT NULL, issued_before timestamptz DEFAULT NULL)
RETURNS TABLE (series text, issued_at timestamptz, first_ts timestamptz, last_ts timestamptz,
               points bigint, run_id bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, i.issued_at, i.first_ts, i.last_ts, i.points::bigint, i.run_id
    FROM time_series AS s
    JOIN time_series_issue AS i ON i.series_id = s.series_id
    WHERE s.endpoint_prefix = ANY (names)
      AND i.issued_at >= coalesce(issued_from, '-infinity')
      AND i.issued_at < coalesce(issued_before, 'infinity');
END;

CREATE FUNCTION time_series_known_issue(names text[], issued_at timestamptz)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity')
    FROM time_series AS s
    JOIN time_series_issue AS i
      ON i.series_id = s.series_id AND i.issued_at = time_series_known_issue.issued_at
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.ts) d.ts, d.value, d.valid_from, d.valid_to
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = i.series_id AND d.ts >= i.first_ts AND d.ts <= i.last_ts
          AND d.valid_from <= time_series_known_issue.issued_at
          AND d.valid_to > time_series_known_issue.issued_at
        ORDER BY d.ts
    ) AS v
    WHERE s.endpoint_prefix = ANY (names);
END;

-- Versions do not overlap: they end in the order in which they begin, and the index has that.
CREATE FUNCTION time_series_known_release(
    names text[], number integer, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity')
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT d.ts, d.value, d.valid_from, d.valid_to,
               row_number() OVER (PARTITION BY d.ts ORDER BY d.valid_to) AS release
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.release = number;
END;

CREATE FUNCTION time_series_known_at(
    names text[], times timestamptz[], decision_times timestamptz[])
RETURNS TABLE (number bigint, series text, ts timestamptz, decided_at timestamptz,
               value double precision, valid_from timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.number, s.endpoint_prefix, r.ts, r.decided_at, v.value, v.valid_from
    FROM unnest(times, decision_times) WITH ORDINALITY AS r (ts, decided_at, number)
    CROSS JOIN unnest(names) WITH ORDINALITY AS n (name, position)
    JOIN time_series AS s ON s.endpoint_prefix = n.name
    LEFT JOIN LATERAL (
        SELECT d.value, d.valid_from
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id AND d.ts = r.ts
          AND d.valid_from <= r.decided_at AND d.valid_to > r.decided_at
        LIMIT 1
    ) AS v ON true
    ORDER BY r.number, n.position;
END;

CREATE FUNCTION time_series_known_revisions(
    names text[], start_ts timestamptz DEFAULT NULL, end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, old_value double precision, new_value double precision,
               changed_at timestamptz, age interval)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, c.old_value, c.new_value, c.changed_at, c.changed_at - v.ts
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT d.ts, d.value, d.valid_from, d.valid_to, lag(d.value) OVER w AS earlier,
               lag(d.valid_to) OVER w AS earlier_until, lead(d.valid_from) OVER w AS later_from
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
        WINDOW w AS (PARTITION BY d.ts ORDER BY d.valid_to)
    ) AS v
    CROSS JOIN LATERAL (VALUES
        (CASE WHEN v.earlier_until = v.valid_from THEN v.earlier END, v.value, v.valid_from,
         v.earlier_until IS NOT NULL),
        (v.value, NULL, v.valid_to,
         v.valid_to < 'infinity' AND v.later_from IS DISTINCT FROM v.valid_to)
    ) AS c (old_value, new_value, changed_at, is_change)
    WHERE s.endpoint_prefix = ANY (names) AND c.is_change;
END;

CREATE FUNCTION time_series_published_as_of(
    names text[], at timestamptz, recorded_by timestamptz, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, published_at timestamptz,
               recorded_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.published_at, v.recorded_at
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.ts) d.ts, d.value, d.published_at, d.recorded_at
        FROM time_series_vintage AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.published_at <= at AND d.recorded_at <= recorded_by
        ORDER BY d.ts, d.published_at DESC, d.recorded_at DESC
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.value IS NOT NULL;
END;

CREATE FUNCTION time_series_published_lead(
    names text[], lead interval, recorded_by timestamptz, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, published_at timestamptz,
               recorded_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.published_at, v.recorded_at
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.ts) d.ts, d.value, d.published_at, d.recorded_at
        FROM time_series_vintage AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.published_at <= d.ts - lead AND d.recorded_at <= recorded_by
        ORDER BY d.ts, d.published_at DESC, d.recorded_at DESC
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.value IS NOT NULL;
END;

CREATE FUNCTION time_series_published_cutoff(
    names text[], days_before integer, time_of_day time, zone text, recorded_by timestamptz,
    start_ts timestamptz DEFAULT NULL, end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, published_at timestamptz,
               recorded_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.published_at, v.recorded_at
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.ts) d.ts, d.value, d.published_at, d.recorded_at
        FROM time_series_vintage AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.published_at <= (date_trunc('day', d.ts AT TIME ZONE zone)
              - make_interval(days => days_before) + time_of_day) AT TIME ZONE zone
          AND d.recorded_at <= recorded_by
        ORDER BY d.ts, d.published_at DESC, d.recorded_at DESC
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.value IS NOT NULL;
END;

CREATE FUNCTION time_series_published_issues(
    names text[], recorded_by timestamptz, issued_from timestamptz DEFAULT NULL,
    issued_before timestamptz DEFAULT NULL)
RETURNS TABLE (series text, issued_at timestamptz, first_ts timestamptz, last_ts timestamptz,
               points bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, i.published_at, i.first_ts, i.last_ts, i.points
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT d.published_at, min(d.ts) AS first_ts, max(d.ts) AS last_ts,
               count(DISTINCT d.ts) AS points
        FROM time_series_vintage AS d
        WHERE d.series_id = s.series_id AND d.recorded_at <= recorded_by
          AND d.published_at >= coalesce(issued_from, '-infinity')
          AND d.published_at < coalesce(issued_before, 'infinity')
        GROUP BY d.published_at
    ) AS i
    WHERE s.endpoint_prefix = ANY (names);
END;

CREATE FUNCTION time_series_published_issue(
    names text[], issued_at timestamptz, recorded_by timestamptz)
RETURNS TABLE (series text, ts timestamptz, value double precision, published_at timestamptz,
               recorded_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.published_at, v.recorded_at
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.ts) d.ts, d.value, d.published_at, d.recorded_at
        FROM time_series_vintage AS d
        WHERE d.series_id = s.series_id AND d.published_at = issued_at
          AND d.recorded_at <= recorded_by
        ORDER BY d.ts, d.recorded_at DESC
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.value IS NOT NULL;
END;

-- Of a publication that was recorded more than once, the last record by then counts. One equal to the
-- publication before it, or without a value and nothing before, releases nothing.
CREATE FUNCTION time_series_published_release(
    names text[], number integer, recorded_by timestamptz, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, published_at timestamptz,
               recorded_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.published_at, v.recorded_at
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT r.ts, r.value, r.published_at, r.recorded_at,
               row_number() OVER (PARTITION BY r.ts ORDER BY r.published_at) AS release
        FROM (
            SELECT p.ts, p.value, p.published_at, p.recorded_at,
                   lag(p.value) OVER (PARTITION BY p.ts ORDER BY p.published_at) AS earlier
            FROM (
                SELECT DISTINCT ON (d.ts, d.published_at)
                       d.ts, d.value, d.published_at, d.recorded_at
                FROM time_series_vintage AS d
                WHERE d.series_id = s.series_id
                  AND d.ts >= coalesce(start_ts, '-infinity')
                  AND d.ts < coalesce(end_ts, 'infinity')
                  AND d.recorded_at <= recorded_by
                ORDER BY d.ts, d.published_at DESC, d.recorded_at DESC
            ) AS p
        ) AS r
        WHERE r.value IS DISTINCT FROM r.earlier
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.release = number;
END;

-- BETWEEN, as with an equal ts the planner would look for the newest publication of the series that
-- has this ts, from the newest of all on: a thousand times as many entries.
CREATE FUNCTION time_series_published_at(
    names text[], times timestamptz[], decision_times timestamptz[], recorded_by timestamptz)
RETURNS TABLE (number bigint, series text, ts timestamptz, decided_at timestamptz,
               value double precision, published_at timestamptz, recorded_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.number, s.endpoint_prefix, r.ts, r.decided_at, v.value, v.published_at,
           v.recorded_at
    FROM unnest(times, decision_times) WITH ORDINALITY AS r (ts, decided_at, number)
    CROSS JOIN unnest(names) WITH ORDINALITY AS n (name, position)
    JOIN time_series AS s ON s.endpoint_prefix = n.name
    LEFT JOIN LATERAL (
        SELECT DISTINCT ON (d.ts) d.value, d.published_at, d.recorded_at
        FROM time_series_vintage AS d
        WHERE d.series_id = s.series_id AND d.ts BETWEEN r.ts AND r.ts
          AND d.published_at <= r.decided_at AND d.recorded_at <= recorded_by
        ORDER BY d.ts, d.published_at DESC, d.recorded_at DESC
    ) AS v ON true
    ORDER BY r.number, n.position;
END;

CREATE FUNCTION time_series_published_revisions(
    names text[], recorded_by timestamptz, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, old_value double precision, new_value double precision,
               changed_at timestamptz, age interval)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.earlier, v.value, v.published_at, v.published_at - v.ts
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT r.ts, r.value, r.earlier, r.published_at,
               row_number() OVER (PARTITION BY r.ts ORDER BY r.published_at) AS release
        FROM (
            SELECT p.ts, p.value, p.published_at,
                   lag(p.value) OVER (PARTITION BY p.ts ORDER BY p.published_at) AS earlier
            FROM (
                SELECT DISTINCT ON (d.ts, d.published_at) d.ts, d.value, d.published_at
                FROM time_series_vintage AS d
                WHERE d.series_id = s.series_id
                  AND d.ts >= coalesce(start_ts, '-infinity')
                  AND d.ts < coalesce(end_ts, 'infinity')
                  AND d.recorded_at <= recorded_by
                ORDER BY d.ts, d.published_at DESC, d.recorded_at DESC
            ) AS p
        ) AS r
        WHERE r.value IS DISTINCT FROM r.earlier
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.release > 1;
END;

COMMENT ON TABLE time_series_issue IS
    'One row for each series that a run of a forecast answered: its values are those as of issued_at.';
COMMENT ON COLUMN time_series_issue.issued_at IS 'Knowledge time: when all its values were known.';
COMMENT ON COLUMN time_series_issue.first_ts IS 'The first ts that the run answered.';
COMMENT ON COLUMN time_series_issue.last_ts IS 'The last ts that the run answered.';
COMMENT ON COLUMN time_series_issue.points IS 'How many points the run answered.';
COMMENT ON COLUMN fetch_run.issues IS 'For how many series the run issued a forecast.';
COMMENT ON FUNCTION time_series_known_as_of IS 'Series as they were known at a time.';
COMMENT ON FUNCTION time_series_known_lead IS
    'For each ts the value known that long before it: a staircase.';
COMMENT ON FUNCTION time_series_known_cutoff IS
    'For each ts the value known at a time of day so many local days before its own.';
COMMENT ON FUNCTION time_series_known_issues IS 'The runs of forecasts, and what they answered.';
COMMENT ON FUNCTION time_series_known_issue IS
    'One run of forecasts, whole: also the values that stayed as they were.';
COMMENT ON FUNCTION time_series_known_release IS
    'The first, second or any later version of each observation.';
COMMENT ON FUNCTION time_series_known_at IS
    'For each ts and decision time what was known then, in their order; NULL where nothing was.';
COMMENT ON FUNCTION time_series_known_revisions IS
    'Every change to what had been known before; age is the time from ts to the change.';
COMMENT ON FUNCTION time_series_published_as_of IS
    'Series as their providers had published them at a time, by what was recorded by another.';
COMMENT ON FUNCTION time_series_published_lead IS
    'For each ts the value published that long before it.';
COMMENT ON FUNCTION time_series_published_cutoff IS
    'For each ts the value published by a time of day so many local days before its own.';
COMMENT ON FUNCTION time_series_published_issues IS
    'The times of publication, and what was published at each.';
COMMENT ON FUNCTION time_series_published_issue IS 'All that was published at one time.';
COMMENT ON FUNCTION time_series_published_release IS
    'The first, second or any later publication of each observation that changed its value.';
COMMENT ON FUNCTION time_series_published_at IS
    'For each ts and decision time what was published then, in their order; NULL where nothing was.';
COMMENT ON FUNCTION time_series_published_revisions IS
    'Every change that was published; age is the time from ts to the publication.';
