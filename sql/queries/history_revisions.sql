-- The latest changes to observations that had been known before: revisions, retractions, returns.
WITH version AS (
    SELECT ts, value, valid_from, nullif(valid_to, 'infinity') AS valid_to,
           lag(value) OVER w AS earlier, lag(valid_to) OVER w AS earlier_until,
           lead(valid_from) OVER w AS later_from
    FROM time_series_data_scd2
    WHERE series_id = %(series)s
      AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
    WINDOW w AS (PARTITION BY ts ORDER BY valid_from)
)
SELECT ts, CASE WHEN earlier_until = valid_from THEN earlier END AS before, value AS after,
       valid_from AS known_at
FROM version WHERE earlier_until IS NOT NULL
UNION ALL
SELECT ts, value, NULL, valid_to
FROM version WHERE valid_to IS NOT NULL AND later_from IS DISTINCT FROM valid_to
ORDER BY known_at DESC, ts DESC
LIMIT %(limit)s
