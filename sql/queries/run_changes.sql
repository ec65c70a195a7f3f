-- What a run changed, by series. Bounds on ts keep the look at the history short: what it wrote lies
-- in its window, or in an interval that begins before it. It withdrew what ended while it was at work
-- and was not followed by anything.
SELECT s.endpoint_prefix AS series, c.inserted, c.revised, c.retracted, c.first_ts, c.last_ts
FROM time_series AS s
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE v.run_id = %(run)s AND before.ts IS NULL) AS inserted,
           count(*) FILTER (WHERE v.run_id = %(run)s AND before.ts IS NOT NULL) AS revised,
           count(*) FILTER (WHERE v.ends AND after.ts IS NULL) AS retracted,
           min(v.ts) FILTER (WHERE v.run_id = %(run)s OR after.ts IS NULL) AS first_ts,
           max(v.ts) FILTER (WHERE v.run_id = %(run)s OR after.ts IS NULL) AS last_ts
    FROM (
        SELECT h.*, h.valid_to BETWEEN %(started)s AND %(finished)s AS ends
        FROM time_series_data_scd2 AS h
        WHERE h.series_id = s.series_id AND h.ts >= %(low)s AND h.ts < %(high)s
          AND (h.run_id = %(run)s OR h.valid_to BETWEEN %(started)s AND %(finished)s)
    ) AS v
    LEFT JOIN time_series_data_scd2 AS before
        ON v.run_id = %(run)s AND before.series_id = s.series_id AND before.ts = v.ts
       AND before.valid_to = v.valid_from
    LEFT JOIN time_series_data_scd2 AS after
        ON v.ends AND after.series_id = s.series_id AND after.ts = v.ts
       AND after.valid_from = v.valid_to
) AS c
WHERE s.source = %(source)s AND c.inserted + c.revised + c.retracted > 0
ORDER BY s.endpoint_prefix
