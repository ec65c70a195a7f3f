-- How long after their ts the observations of a part of a series were published for the first time, as far as it
-- was recorded by a time, and how many were by when they are said to be available.
WITH first AS MATERIALIZED (
    SELECT d.series_id, d.ts, min(d.published_at) AS published_at
    FROM time_series_vintage AS d
    WHERE d.series_id = %(series)s AND d.value IS NOT NULL
      AND d.recorded_at <= coalesce(%(recorded)s, 'infinity'::timestamptz)
      AND d.ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND d.ts < coalesce(%(end)s, 'infinity'::timestamptz)
    GROUP BY d.series_id, d.ts
)
SELECT count(*) AS count, count(*) FILTER (WHERE c.published_at <= c.available_at) AS in_time,
       min(c.ts) AS first_ts, max(c.ts) AS last_ts,
       coalesce(percentile_disc(%(quantiles)s::float8[]) WITHIN GROUP (ORDER BY c.published_at - c.ts),
           '{}') AS ages
FROM (
    SELECT v.ts, v.published_at, time_series_available_at(s.availability, v.ts) AS available_at
    FROM first AS v
    JOIN time_series AS s ON s.series_id = v.series_id
) AS c
