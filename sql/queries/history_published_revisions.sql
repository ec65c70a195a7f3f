-- The latest changes that a provider published to what it had published before, newest first, among
-- the last publications: each beside the record before it.
SELECT p.ts, e.value AS before, p.value AS after, p.published_at, p.recorded_at AS known_at
FROM (
    SELECT ts, value, published_at, recorded_at FROM time_series_vintage
    WHERE series_id = %(series)s
    ORDER BY published_at DESC LIMIT %(publications)s
) AS p
CROSS JOIN LATERAL (
    SELECT v.value FROM time_series_vintage AS v
    WHERE v.series_id = %(series)s AND v.ts = p.ts
      AND (v.published_at, v.recorded_at) < (p.published_at, p.recorded_at)
    ORDER BY v.published_at DESC, v.recorded_at DESC LIMIT 1
) AS e
WHERE e.value IS DISTINCT FROM p.value
ORDER BY p.published_at DESC, p.recorded_at DESC, p.ts DESC
LIMIT %(limit)s
