-- Which of the series that the answer left out have points stored in the window.
SELECT s.series_id
FROM unnest(%(series)s::integer[]) AS s (series_id)
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (d.series_id) d.ts FROM time_series_data AS d
    WHERE d.series_id = s.series_id AND d.series_id = ANY (%(series)s::integer[])
      AND d.ts >= %(start)s
      AND d.ts < coalesce(%(end)s, 'infinity'::timestamptz)
    ORDER BY d.series_id, d.ts
) AS d
