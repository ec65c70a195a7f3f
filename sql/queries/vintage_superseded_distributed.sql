-- The points of a batch for which a later publication is recorded than the batch brings.
SELECT DISTINCT b.series_id, b.ts
FROM unnest(%(series)s::integer[], %(ts)s::timestamptz[], %(published)s::timestamptz[])
    AS b (series_id, ts, published_at)
JOIN time_series_vintage AS v ON v.series_id = b.series_id AND v.ts = b.ts
    AND v.published_at > b.published_at
WHERE v.series_id = ANY (%(series)s::integer[]) AND v.ts BETWEEN %(low)s AND %(high)s
