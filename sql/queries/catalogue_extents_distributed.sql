-- The first and the last observation of series: a look at each end of an index for each.
WITH first AS (
    SELECT s.series_id, d.ts
    FROM unnest(%(series)s::integer[]) AS s (series_id)
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.series_id) d.ts FROM time_series_data AS d
        WHERE d.series_id = s.series_id ORDER BY d.series_id, d.ts
    ) AS d
), last AS (
    SELECT s.series_id, d.ts
    FROM unnest(%(series)s::integer[]) AS s (series_id)
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.series_id) d.ts FROM time_series_data AS d
        WHERE d.series_id = s.series_id ORDER BY d.series_id, d.ts DESC
    ) AS d
)
SELECT s.series_id, f.ts AS first_ts, l.ts AS last_ts
FROM unnest(%(series)s::integer[]) AS s (series_id)
LEFT JOIN first AS f ON f.series_id = s.series_id
LEFT JOIN last AS l ON l.series_id = s.series_id
