-- Series of a range of observations of which a version begins before another one ends: one that has
-- ended too, or the open one. That two are open is told by their number.
WITH closed AS (
    SELECT series_id, ts, valid_from, valid_to,
           lag(valid_to) OVER (PARTITION BY series_id, ts ORDER BY valid_to) AS before_until
    FROM time_series_data_scd2
    WHERE series_id BETWEEN %(first)s AND %(last)s
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND ts >= coalesce(%(since)s, '-infinity'::timestamptz)
      AND ts >= coalesce(%(low)s::timestamptz, '-infinity')
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
      AND valid_to < 'infinity'
)
SELECT series_id FROM closed WHERE before_until > valid_from
UNION
SELECT v.series_id
FROM (SELECT series_id, ts, max(valid_to) AS until FROM closed GROUP BY series_id, ts) AS c
JOIN time_series_data_scd2 AS v ON v.series_id = c.series_id AND v.ts = c.ts
WHERE v.valid_to = 'infinity' AND v.valid_from < c.until
  AND v.series_id BETWEEN %(first)s AND %(last)s
  AND (%(ids)s::integer[] IS NULL OR v.series_id = ANY (%(ids)s::integer[]))
  AND v.ts >= coalesce(%(since)s, '-infinity'::timestamptz)
  AND v.ts >= coalesce(%(low)s::timestamptz, '-infinity')
  AND (%(high)s::timestamptz IS NULL OR v.ts < %(high)s::timestamptz)
