-- Series of a range of observations of which a closed version begins before another closed one of
-- the same observation ends; only observations are put in order of which not each begins as another
-- ends.
SELECT DISTINCT c.series_id
FROM (
    SELECT v.series_id, v.valid_from,
           lag(v.valid_to) OVER (PARTITION BY v.series_id, v.ts ORDER BY v.valid_to) AS before_until
    FROM time_series_data_scd2 AS v
    JOIN (
        SELECT series_id, ts
        FROM time_series_data_scd2
        WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
          AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
          AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
          AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
          AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
          AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
          AND valid_to < 'infinity'
        GROUP BY series_id, ts
        HAVING sum(timestamp_hash(timezone(INTERVAL '0', valid_to)))
               - timestamp_hash(timezone(INTERVAL '0', max(valid_to)))
               <> sum(timestamp_hash(timezone(INTERVAL '0', valid_from)))
                  - timestamp_hash(timezone(INTERVAL '0', min(valid_from)))
    ) AS b ON b.series_id = v.series_id AND b.ts = v.ts
    WHERE (%(first)s::integer IS NULL OR v.series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR v.series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR v.series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR v.ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR v.ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR v.ts < %(high)s::timestamptz)
      AND v.valid_to < 'infinity'
) AS c
WHERE c.before_until > c.valid_from
