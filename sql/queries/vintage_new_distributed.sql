-- The publications of a batch that are not recorded, or were recorded with another value last.
WITH batch AS MATERIALIZED (
    SELECT series_id, ts, published_at, value
    FROM unnest(%(series)s::integer[], %(ts)s::timestamptz[], %(published)s::timestamptz[],
        %(value)s::float8[]) AS b (series_id, ts, published_at, value)
), recorded AS (
    SELECT b.series_id, b.ts, b.published_at, v.value
    FROM batch AS b
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (v.series_id) v.value FROM time_series_vintage AS v
        WHERE v.series_id = b.series_id AND v.ts = b.ts AND v.ts BETWEEN %(low)s AND %(high)s
          AND v.published_at = b.published_at AND v.series_id = ANY (%(series)s::integer[])
        ORDER BY v.series_id, v.recorded_at DESC
    ) AS v
)
SELECT b.series_id, b.ts, b.published_at, b.value
FROM batch AS b
LEFT JOIN recorded AS v ON v.series_id = b.series_id AND v.ts = b.ts
    AND v.published_at = b.published_at
WHERE v.series_id IS NULL OR v.value IS DISTINCT FROM b.value
