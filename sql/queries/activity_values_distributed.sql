-- The newest values of each of some series, in order of ts.
SELECT s.series_id, n.ts, n.values
FROM unnest(%(series)s::integer[]) AS s (series_id)
CROSS JOIN LATERAL (
    SELECT array_agg(date_part('epoch', d.ts) ORDER BY d.ts) AS ts,
           array_agg(d.value ORDER BY d.ts) AS values
    FROM (
        SELECT p.series_id, p.ts, p.value,
               row_number() OVER (PARTITION BY p.series_id ORDER BY p.ts DESC) AS place
        FROM time_series_data AS p
        WHERE p.series_id = s.series_id AND p.ts >= %(since)s
    ) AS d
    WHERE d.place <= %(limit)s
    GROUP BY d.series_id
) AS n
