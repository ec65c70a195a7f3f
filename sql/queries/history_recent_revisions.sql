-- The latest changes to what had been known before of a series that has too many versions to look at
-- all: of the last ones by ts among those that the newest runs which revised anything asked for, or of
-- the last ones of all.
WITH run AS (
    SELECT window_start, window_end FROM fetch_run
    WHERE source = %(source)s AND (revised > 0 OR retracted > 0)
    ORDER BY run_id DESC LIMIT %(runs)s
), span AS (
    SELECT coalesce(min(window_start) - interval '31 days', '-infinity') AS low,
           coalesce(max(coalesce(window_end, 'infinity')), 'infinity') AS high
    FROM run
), version AS (
    SELECT ts, value, valid_from, nullif(valid_to, 'infinity') AS valid_to,
           lag(value) OVER w AS earlier, lag(valid_to) OVER w AS earlier_until,
           lead(valid_from) OVER w AS later_from
    FROM (
        SELECT ts, value, valid_from, valid_to FROM time_series_data_scd2
        WHERE series_id = %(series)s
          AND ts >= (SELECT low FROM span) AND ts < (SELECT high FROM span)
        ORDER BY ts DESC, valid_to DESC LIMIT %(versions)s
    ) AS newest
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
