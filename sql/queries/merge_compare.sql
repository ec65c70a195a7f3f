-- The points of a batch that differ from what is stored; those that do not are never touched.
-- A null for nothing stored does not differ. The bounds let whole chunks be left out.
SELECT b.series_id, b.ts, b.value, d.ts IS NOT NULL AS is_stored
FROM /* batch */ AS b (series_id, ts, value)
LEFT JOIN time_series_data AS d
    ON d.series_id = b.series_id AND d.ts = b.ts AND d.ts BETWEEN %(low)s AND %(high)s
WHERE d.value IS DISTINCT FROM b.value
