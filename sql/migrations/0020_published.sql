-- Releases and revisions of publications go by ts alone again: what comes in the order of ts then needs
-- no sort of its own. Where tables are distributed, their series is named as the form is made that goes
-- there.

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
               row_number() OVER (PARTITION BY r.ts ORDER BY r.published_at) AS release
        FROM (
            SELECT p.series_id, p.ts, p.value, p.published_at, p.recorded_at,
                   lag(p.value) OVER (PARTITION BY p.ts ORDER BY p.published_at) AS earlier
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
               row_number() OVER (PARTITION BY r.ts ORDER BY r.published_at) AS release
        FROM (
            SELECT p.series_id, p.ts, p.value, p.published_at,
                   lag(p.value) OVER (PARTITION BY p.ts ORDER BY p.published_at) AS earlier
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
