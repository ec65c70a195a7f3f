-- Series of a range of observations of which a version begins before another one ends: one that has
-- ended too, or the open one. That two are open is told by their number.
SELECT closed.series_id
FROM (
    SELECT series_id, valid_from,
           lag(valid_to) OVER (PARTITION BY series_id, ts ORDER BY valid_to) AS before_until
    FROM time_series_data_scd2
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
      AND valid_to < 'infinity'
) AS closed
WHERE closed.before_until > closed.valid_from
UNION ALL
SELECT c.series_id
FROM time_series_data_scd2 AS c
JOIN time_series_data_scd2 AS v ON v.series_id = c.series_id AND v.ts = c.ts
WHERE c.valid_to < 'infinity' AND v.valid_to = 'infinity' AND v.valid_from < c.valid_to
  AND (%(first)s::integer IS NULL OR c.series_id >= %(first)s::integer)
  AND (%(last)s::integer IS NULL OR c.series_id <= %(last)s::integer)
  AND (%(ids)s::integer[] IS NULL OR c.series_id = ANY (%(ids)s::integer[]))
  AND (%(since)s::timestamptz IS NULL OR c.ts >= %(since)s::timestamptz)
  AND (%(low)s::timestamptz IS NULL OR c.ts >= %(low)s::timestamptz)
  AND (%(high)s::timestamptz IS NULL OR c.ts < %(high)s::timestamptz)
  AND (%(first)s::integer IS NULL OR v.series_id >= %(first)s::integer)
  AND (%(last)s::integer IS NULL OR v.series_id <= %(last)s::integer)
  AND (%(ids)s::integer[] IS NULL OR v.series_id = ANY (%(ids)s::integer[]))
  AND (%(since)s::timestamptz IS NULL OR v.ts >= %(since)s::timestamptz)
  AND (%(low)s::timestamptz IS NULL OR v.ts >= %(low)s::timestamptz)
  AND (%(high)s::timestamptz IS NULL OR v.ts < %(high)s::timestamptz)
