-- Versions of a range of series that break a promise. Ordered by valid_to, as the index is,
-- versions that do not overlap follow each other; infinity, for open ones, comes last.
SELECT v.series_id, s.endpoint_prefix AS series, to_json(v.ts) #>> '{}' AS ts,
       to_json(v.valid_from) #>> '{}' AS valid_from, v.run_id,
       CASE WHEN s.series_id IS NULL THEN 'version_of_no_series'
            WHEN v.valid_from >= v.valid_to THEN 'no_interval'
            WHEN v.is_no_number THEN 'no_number'
            WHEN v.is_no_time THEN 'no_time'
            WHEN v.before_until = 'infinity' AND v.valid_to = 'infinity' THEN 'two_open'
            WHEN v.before_until > v.valid_from THEN 'overlap'
            ELSE 'version_after_last' END AS fault
FROM (
    SELECT series_id, ts, valid_from, valid_to, run_id, lag(valid_to) OVER w AS before_until,
           value * 0 <> 0 AS is_no_number,
           valid_from = '-infinity' AS is_no_time
    FROM time_series_data_scd2
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
    WINDOW w AS (PARTITION BY series_id, ts ORDER BY valid_to)
) AS v
LEFT JOIN (
    SELECT s.series_id, s.endpoint_prefix,
           coalesce(st.last_knowledge_time, '-infinity') AS last_knowledge_time
    FROM time_series AS s LEFT JOIN source_state AS st ON st.source = s.source
) AS s ON s.series_id = v.series_id
WHERE s.series_id IS NULL OR v.valid_from >= v.valid_to OR v.before_until > v.valid_from
   OR v.is_no_number OR v.is_no_time OR v.valid_from > s.last_knowledge_time
   OR v.valid_to > s.last_knowledge_time AND v.valid_to < 'infinity'
ORDER BY v.series_id, v.ts, v.valid_to
