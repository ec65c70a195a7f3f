-- Inserts publications, as known from K on.
INSERT INTO time_series_vintage (ts, published_at, recorded_at, value, run_id, series_id)
SELECT b.ts, b.published_at, %(known)s, b.value, %(run)s, b.series_id
FROM unnest(%(series)s::integer[], %(ts)s::timestamptz[], %(published)s::timestamptz[],
    %(value)s::float8[]) AS b (series_id, ts, published_at, value)
