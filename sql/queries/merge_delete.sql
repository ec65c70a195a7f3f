-- Retractions: the current value goes, its versions stay.
DELETE FROM time_series_data AS d
USING unnest(%(series)s::integer[], %(ts)s::timestamptz[]) AS b (series_id, ts)
WHERE d.series_id = b.series_id AND d.ts = b.ts AND d.ts BETWEEN %(low)s AND %(high)s
