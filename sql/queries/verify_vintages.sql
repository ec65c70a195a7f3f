-- Publications of a range of series that break a promise, in the order of their index.
SELECT v.series_id, s.endpoint_prefix AS series, to_json(v.ts) #>> '{}' AS ts,
       to_json(v.published_at) #>> '{}' AS published_at, v.run_id,
       CASE WHEN s.series_id IS NULL THEN 'vintage_of_no_series'
            WHEN v.is_again THEN 'vintage_twice'
            WHEN v.is_no_number THEN 'vintage_no_number'
            WHEN v.is_no_time THEN 'vintage_no_time'
            ELSE 'vintage_after_last' END AS fault
FROM (
    SELECT series_id, ts, published_at, recorded_at, run_id,
           lag(published_at) OVER w = published_at
           AND lag(value) OVER w IS NOT DISTINCT FROM value AS is_again,
           coalesce(value * 0 <> 0, false) AS is_no_number,
           NOT isfinite(published_at) OR recorded_at = '-infinity' AS is_no_time
    FROM time_series_vintage
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
    WINDOW w AS (PARTITION BY series_id, ts ORDER BY published_at DESC, recorded_at DESC)
) AS v
LEFT JOIN (
    SELECT s.series_id, s.endpoint_prefix,
           coalesce(st.last_knowledge_time, '-infinity') AS last_knowledge_time
    FROM time_series AS s LEFT JOIN source_state AS st ON st.source = s.source
) AS s ON s.series_id = v.series_id
WHERE s.series_id IS NULL OR v.is_again OR v.is_no_number OR v.is_no_time
   OR v.recorded_at > s.last_knowledge_time
ORDER BY v.series_id, v.ts
