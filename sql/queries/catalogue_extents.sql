-- The first and the last observation of series: a look at each end of an index for each.
SELECT s.series_id,
       (SELECT d.ts FROM time_series_data AS d WHERE d.series_id = s.series_id
        ORDER BY d.ts LIMIT 1) AS first_ts,
       (SELECT d.ts FROM time_series_data AS d WHERE d.series_id = s.series_id
        ORDER BY d.ts DESC LIMIT 1) AS last_ts
FROM unnest(%(series)s::integer[]) AS s (series_id)
