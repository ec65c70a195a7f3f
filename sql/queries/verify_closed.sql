-- Series of a range of observations to be looked at row by row because of their closed versions:
-- over before they begin, not over when the open version begins, or later than the last that the
-- source knew, with what is no number or no time. Where each begins as the one before ends, all
-- their times cancel out but the first and the last; where not, `is_broken`, and it takes their
-- order to tell whether any overlap.
SELECT v.series_id, f.is_suspect, v.is_broken
FROM (
    SELECT c.series_id, max(c.last_to) AS last_to, bool_or(c.is_broken) AS is_broken,
           bool_or(c.is_odd OR d.updated_at < c.last_to) AS is_odd
    FROM (
        SELECT series_id, ts, max(valid_to) AS last_to,
               sum(timestamp_hash(timezone(INTERVAL '0', valid_to)))
               - timestamp_hash(timezone(INTERVAL '0', max(valid_to)))
               <> sum(timestamp_hash(timezone(INTERVAL '0', valid_from)))
                  - timestamp_hash(timezone(INTERVAL '0', min(valid_from))) AS is_broken,
               bool_or(valid_from >= valid_to OR value * 0 <> 0 OR valid_from = '-infinity')
                   AS is_odd
        FROM time_series_data_scd2
        WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
          AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
          AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
          AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
          AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
          AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
          AND valid_to < 'infinity'
        GROUP BY series_id, ts
    ) AS c
    LEFT JOIN (
        SELECT series_id, ts, updated_at FROM time_series_data
        WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
          AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
          AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
          AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
          AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
          AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
    ) AS d ON d.series_id = c.series_id AND d.ts = c.ts
    GROUP BY c.series_id
) AS v
LEFT JOIN (
    SELECT s.series_id, coalesce(st.last_knowledge_time, '-infinity') AS last_known
    FROM time_series AS s LEFT JOIN source_state AS st ON st.source = s.source
) AS s ON s.series_id = v.series_id
CROSS JOIN LATERAL (SELECT v.is_odd OR v.last_to > s.last_known AS is_suspect) AS f
WHERE f.is_suspect OR v.is_broken
