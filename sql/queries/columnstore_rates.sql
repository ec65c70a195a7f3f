-- How many observations a day some of the series have, in the 30 days up to their newest one.
SELECT count(*) / 30.0
FROM (
    SELECT series_id FROM time_series ORDER BY hashint4(series_id) LIMIT %(series)s
) AS s
CROSS JOIN LATERAL (
    SELECT ts FROM time_series_data WHERE series_id = s.series_id ORDER BY ts DESC LIMIT 1
) AS newest
JOIN time_series_data AS d
    ON d.series_id = s.series_id AND d.ts > newest.ts - interval '30 days' AND d.ts <= newest.ts
GROUP BY s.series_id
