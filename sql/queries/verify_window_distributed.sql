-- A window of a share of the time of some series, at an offset; as texts, as Python has not every
-- time.
SELECT w.low::text, (w.low + (e.last_ts - e.first_ts) * %(share)s + INTERVAL '1 microsecond')::text
FROM (
    SELECT min(v.ts) AS first_ts, max(v.ts) AS last_ts
    FROM time_series_data_scd2 AS v
    WHERE v.series_id = ANY (%(ids)s::integer[]) AND v.ts > '-infinity' AND v.ts < 'infinity'
      AND v.ts >= coalesce(%(since)s, '-infinity'::timestamptz)
) AS e
CROSS JOIN LATERAL (
    SELECT e.first_ts + (e.last_ts - e.first_ts) * (%(offset)s * (1 - %(share)s)) AS low
) AS w
WHERE e.first_ts IS NOT NULL
