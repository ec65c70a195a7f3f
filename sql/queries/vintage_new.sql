-- The publications of a batch that are not recorded, or were recorded with another value last.
SELECT b.series_id, b.ts, b.published_at, b.value
FROM unnest(%(series)s::integer[], %(ts)s::timestamptz[], %(published)s::timestamptz[],
    %(value)s::float8[]) AS b (series_id, ts, published_at, value)
LEFT JOIN LATERAL (
    SELECT v.value, true AS is_recorded FROM time_series_vintage AS v
    WHERE v.series_id = b.series_id AND v.ts = b.ts AND v.ts BETWEEN %(low)s AND %(high)s
      AND v.published_at = b.published_at
    ORDER BY v.recorded_at DESC LIMIT 1
) AS v ON true
WHERE v.is_recorded IS NULL OR v.value IS DISTINCT FROM b.value
