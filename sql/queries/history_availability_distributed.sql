-- How long after their ts the observations of a part of a series came for the first time, but for those that
-- came with a backfill or the initial history, and how many came by when they are said to be available.
WITH first AS MATERIALIZED (
    SELECT DISTINCT ON (d.series_id, d.ts) d.series_id, d.ts, d.valid_from, d.run_id
    FROM time_series_data_scd2 AS d
    WHERE d.series_id = %(series)s
      AND d.ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND d.ts < coalesce(%(end)s, 'infinity'::timestamptz)
    ORDER BY d.series_id, d.ts, d.valid_to
)
SELECT count(*) AS count, count(*) FILTER (WHERE c.valid_from <= c.available_at) AS in_time,
       min(c.ts) AS first_ts, max(c.ts) AS last_ts,
       coalesce(percentile_disc(%(quantiles)s::float8[]) WITHIN GROUP (ORDER BY c.valid_from - c.ts),
           '{}') AS ages
FROM (
    SELECT v.ts, v.valid_from, time_series_available_at(s.availability, v.ts) AS available_at
    FROM first AS v
    JOIN time_series AS s ON s.series_id = v.series_id
    LEFT JOIN fetch_run AS r ON r.run_id = v.run_id
    WHERE r.kind IS DISTINCT FROM 'backfill'
      AND v.valid_from > coalesce(s.history_asked_at, 'infinity'::timestamptz)
) AS c
