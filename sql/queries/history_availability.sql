-- How long after their ts the observations of a part of a series came for the first time, but for those that
-- came with a backfill or the initial history, and how many came by when they are said to be available.
SELECT count(*) AS count, count(*) FILTER (WHERE c.valid_from <= c.available_at) AS in_time,
       min(c.ts) AS first_ts, max(c.ts) AS last_ts,
       coalesce(percentile_disc(%(quantiles)s::float8[]) WITHIN GROUP (ORDER BY c.valid_from - c.ts),
           '{}') AS ages
FROM (
    SELECT v.ts, v.valid_from, time_series_available_at(s.availability, v.ts) AS available_at
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.ts) d.ts, d.valid_from, d.run_id
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id
          AND d.ts >= coalesce(%(start)s, '-infinity'::timestamptz)
          AND d.ts < coalesce(%(end)s, 'infinity'::timestamptz)
        ORDER BY d.ts, d.valid_to
    ) AS v
    LEFT JOIN LATERAL (
        SELECT f.kind FROM fetch_run AS f WHERE f.run_id = v.run_id LIMIT 1
    ) AS r ON true
    WHERE s.series_id = %(series)s AND r.kind IS DISTINCT FROM 'backfill'
      AND v.valid_from > coalesce(s.history_asked_at, 'infinity'::timestamptz)
) AS c
