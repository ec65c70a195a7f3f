-- Questions of points in time in a form that an engine which shards the tables by series takes too: what
-- keeps rows apart, by DISTINCT, by windows or by groups, names the series first. For each series that
-- is a constant, so that nothing else is done than before.

CREATE OR REPLACE FUNCTION time_series_known_as_of(
    names text[], at timestamptz, start_ts timestamptz DEFAULT NULL, end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity')
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.series_id, d.ts) d.ts, d.value, d.valid_from, d.valid_to
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.valid_from <= at AND d.valid_to > at
        ORDER BY d.series_id, d.ts
    ) AS v
    WHERE s.endpoint_prefix = ANY (names);
END;

CREATE OR REPLACE FUNCTION time_series_known_lead(
    names text[], lead interval, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity')
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.series_id, d.ts) d.ts, d.value, d.valid_from, d.valid_to
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.valid_from <= d.ts - lead AND d.valid_to > d.ts - lead
        ORDER BY d.series_id, d.ts
    ) AS v
    WHERE s.endpoint_prefix = ANY (names);
END;

CREATE OR REPLACE FUNCTION time_series_known_cutoff(
    names text[], days_before integer, time_of_day time, zone text,
    start_ts timestamptz DEFAULT NULL, end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity')
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.series_id, d.ts) d.ts, d.value, d.valid_from, d.valid_to
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.valid_from <= (date_trunc('day', d.ts AT TIME ZONE zone)
              - make_interval(days => days_before) + time_of_day) AT TIME ZONE zone
          AND d.valid_to > (date_trunc('day', d.ts AT TIME ZONE zone)
              - make_interval(days => days_before) + time_of_day) AT TIME ZONE zone
        ORDER BY d.series_id, d.ts
    ) AS v
    WHERE s.endpoint_prefix = ANY (names);
END;

CREATE OR REPLACE FUNCTION time_series_known_issue(names text[], issued_at timestamptz)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity')
    FROM time_series AS s
    JOIN time_series_issue AS i
      ON i.series_id = s.series_id AND i.issued_at = time_series_known_issue.issued_at
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.series_id, d.ts) d.ts, d.value, d.valid_from, d.valid_to
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = i.series_id AND d.ts >= i.first_ts AND d.ts <= i.last_ts
          AND d.valid_from <= time_series_known_issue.issued_at
          AND d.valid_to > time_series_known_issue.issued_at
        ORDER BY d.series_id, d.ts
    ) AS v
    WHERE s.endpoint_prefix = ANY (names);
END;

-- Versions do not overlap: they end in the order in which they begin, and the index has that.
CREATE OR REPLACE FUNCTION time_series_known_release(
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
               row_number() OVER (PARTITION BY d.series_id, d.ts ORDER BY d.valid_to) AS release
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.release = number;
END;

CREATE OR REPLACE FUNCTION time_series_known_revisions(
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
        WINDOW w AS (PARTITION BY d.series_id, d.ts ORDER BY d.valid_to)
    ) AS v
    CROSS JOIN LATERAL (VALUES
        (CASE WHEN v.earlier_until = v.valid_from THEN v.earlier END, v.value, v.valid_from,
         v.earlier_until IS NOT NULL),
        (v.value, NULL, v.valid_to,
         v.valid_to < 'infinity' AND v.later_from IS DISTINCT FROM v.valid_to)
    ) AS c (old_value, new_value, changed_at, is_change)
    WHERE s.endpoint_prefix = ANY (names) AND c.is_change;
END;

CREATE OR REPLACE FUNCTION time_series_published_as_of(
    names text[], at timestamptz, recorded_by timestamptz, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, published_at timestamptz,
               recorded_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.published_at, v.recorded_at
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.series_id, d.ts) d.ts, d.value, d.published_at, d.recorded_at
        FROM time_series_vintage AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.published_at <= at AND d.recorded_at <= recorded_by
        ORDER BY d.series_id, d.ts, d.published_at DESC, d.recorded_at DESC
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.value IS NOT NULL;
END;

CREATE OR REPLACE FUNCTION time_series_published_lead(
    names text[], lead interval, recorded_by timestamptz, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, published_at timestamptz,
               recorded_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.published_at, v.recorded_at
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.series_id, d.ts) d.ts, d.value, d.published_at, d.recorded_at
        FROM time_series_vintage AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.published_at <= d.ts - lead AND d.recorded_at <= recorded_by
        ORDER BY d.series_id, d.ts, d.published_at DESC, d.recorded_at DESC
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.value IS NOT NULL;
END;

CREATE OR REPLACE FUNCTION time_series_published_cutoff(
    names text[], days_before integer, time_of_day time, zone text, recorded_by timestamptz,
    start_ts timestamptz DEFAULT NULL, end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, published_at timestamptz,
               recorded_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.published_at, v.recorded_at
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.series_id, d.ts) d.ts, d.value, d.published_at, d.recorded_at
        FROM time_series_vintage AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
          AND d.published_at <= (date_trunc('day', d.ts AT TIME ZONE zone)
              - make_interval(days => days_before) + time_of_day) AT TIME ZONE zone
          AND d.recorded_at <= recorded_by
        ORDER BY d.series_id, d.ts, d.published_at DESC, d.recorded_at DESC
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.value IS NOT NULL;
END;

CREATE OR REPLACE FUNCTION time_series_published_issues(
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
        GROUP BY d.series_id, d.published_at
    ) AS i
    WHERE s.endpoint_prefix = ANY (names);
END;

CREATE OR REPLACE FUNCTION time_series_published_issue(
    names text[], issued_at timestamptz, recorded_by timestamptz)
RETURNS TABLE (series text, ts timestamptz, value double precision, published_at timestamptz,
               recorded_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.published_at, v.recorded_at
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.series_id, d.ts) d.ts, d.value, d.published_at, d.recorded_at
        FROM time_series_vintage AS d
        WHERE d.series_id = s.series_id AND d.published_at = issued_at
          AND d.recorded_at <= recorded_by
        ORDER BY d.series_id, d.ts, d.recorded_at DESC
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.value IS NOT NULL;
END;

-- Of a publication that was recorded more than once, the last record by then counts. One equal to the
-- publication before it, or without a value and nothing before, releases nothing.
CREATE OR REPLACE FUNCTION time_series_published_release(
    names text[], number integer, recorded_by timestamptz, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, published_at timestamptz,
               recorded_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value, v.published_at, v.recorded_at
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT r.series_id, r.ts, r.value, r.published_at, r.recorded_at,
               row_number() OVER (PARTITION BY r.series_id, r.ts ORDER BY r.published_at) AS release
        FROM (
            SELECT p.series_id, p.ts, p.value, p.published_at, p.recorded_at,
                   lag(p.value) OVER (PARTITION BY p.series_id, p.ts ORDER BY p.published_at) AS earlier
            FROM (
                SELECT DISTINCT ON (d.series_id, d.ts, d.published_at)
                       d.series_id, d.ts, d.value, d.published_at, d.recorded_at
                FROM time_series_vintage AS d
                WHERE d.series_id = s.series_id
                  AND d.ts >= coalesce(start_ts, '-infinity')
                  AND d.ts < coalesce(end_ts, 'infinity')
                  AND d.recorded_at <= recorded_by
                ORDER BY d.series_id, d.ts, d.published_at DESC, d.recorded_at DESC
            ) AS p
        ) AS r
        WHERE r.value IS DISTINCT FROM r.earlier
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.release = number;
END;

CREATE OR REPLACE FUNCTION time_series_published_revisions(
    names text[], recorded_by timestamptz, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, old_value double precision, new_value double precision,
               changed_at timestamptz, age interval)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.earlier, v.value, v.published_at, v.published_at - v.ts
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT r.series_id, r.ts, r.value, r.earlier, r.published_at,
               row_number() OVER (PARTITION BY r.series_id, r.ts ORDER BY r.published_at) AS release
        FROM (
            SELECT p.series_id, p.ts, p.value, p.published_at,
                   lag(p.value) OVER (PARTITION BY p.series_id, p.ts ORDER BY p.published_at) AS earlier
            FROM (
                SELECT DISTINCT ON (d.series_id, d.ts, d.published_at)
                       d.series_id, d.ts, d.value, d.published_at
                FROM time_series_vintage AS d
                WHERE d.series_id = s.series_id
                  AND d.ts >= coalesce(start_ts, '-infinity')
                  AND d.ts < coalesce(end_ts, 'infinity')
                  AND d.recorded_at <= recorded_by
                ORDER BY d.series_id, d.ts, d.published_at DESC, d.recorded_at DESC
            ) AS p
        ) AS r
        WHERE r.value IS DISTINCT FROM r.earlier
    ) AS v
    WHERE s.endpoint_prefix = ANY (names) AND v.release > 1;
END;

CREATE OR REPLACE FUNCTION time_series_assumed_versions(
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
               lag(d.valid_to) OVER (
                   PARTITION BY d.series_id, d.ts ORDER BY d.valid_to) IS NULL AS is_first
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(start_ts, '-infinity') AND d.ts < coalesce(end_ts, 'infinity')
    ) AS v
    LEFT JOIN LATERAL (
        SELECT f.kind FROM fetch_run AS f WHERE f.run_id = v.run_id LIMIT 1
    ) AS r ON true
    WHERE s.endpoint_prefix = ANY (names);
END;

ALTER TABLE schema_migration ADD COLUMN is_distributed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN schema_migration.is_distributed IS
    'Whether the tables of observations lie on several machines, each series on one of them.';
