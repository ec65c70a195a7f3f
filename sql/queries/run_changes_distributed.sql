-- What a run changed, by series. Bounds on ts keep the look at the history short: what it wrote lies
-- in its window, or in an interval that begins before it. It withdrew what ended while it was at work
-- and was not followed by anything. Versions of an observation do not overlap, so that those before
-- and after one are its neighbours.
WITH named AS MATERIALIZED (
    SELECT series_id, endpoint_prefix FROM time_series WHERE source = %(source)s
), neighbours AS (
    SELECT h.series_id, h.ts, h.run_id,
           h.valid_to BETWEEN %(started)s AND %(finished)s AS ends,
           lag(h.valid_to) OVER w IS NOT DISTINCT FROM h.valid_from AS is_revision,
           lead(h.valid_from) OVER w IS DISTINCT FROM h.valid_to AS is_last
    FROM time_series_data_scd2 AS h
    WHERE h.series_id = ANY (ARRAY(SELECT series_id FROM named))
      AND h.ts >= %(low)s AND h.ts < %(high)s
    WINDOW w AS (PARTITION BY h.series_id, h.ts ORDER BY h.valid_to)
), change AS (
    SELECT v.series_id,
           count(*) FILTER (WHERE v.run_id = %(run)s AND NOT v.is_revision) AS inserted,
           count(*) FILTER (WHERE v.run_id = %(run)s AND v.is_revision) AS revised,
           count(*) FILTER (WHERE v.ends AND v.is_last) AS retracted,
           min(v.ts) FILTER (WHERE v.run_id = %(run)s OR v.is_last) AS first_ts,
           max(v.ts) FILTER (WHERE v.run_id = %(run)s OR v.is_last) AS last_ts
    FROM neighbours AS v
    WHERE v.run_id = %(run)s OR v.ends
    GROUP BY v.series_id
)
SELECT s.endpoint_prefix AS series, c.inserted, c.revised, c.retracted, c.first_ts, c.last_ts
FROM named AS s JOIN change AS c ON c.series_id = s.series_id
WHERE c.inserted + c.revised + c.retracted > 0
ORDER BY s.endpoint_prefix
