-- Recorded runs of forecasts that break a promise, of a range of series.
SELECT i.series_id, s.endpoint_prefix AS series, to_json(i.first_ts) #>> '{}' AS ts,
       to_json(i.issued_at) #>> '{}' AS valid_from, i.run_id,
       CASE WHEN s.series_id IS NULL THEN 'issue_of_no_series'
            WHEN i.first_ts > i.last_ts OR i.points < 1 THEN 'issue_of_nothing'
            WHEN i.is_again THEN 'issue_twice'
            ELSE 'issue_after_last' END AS fault
FROM (
    SELECT series_id, issued_at, first_ts, last_ts, points, run_id,
           lag(issued_at) OVER (PARTITION BY series_id ORDER BY issued_at) = issued_at AS is_again
    FROM time_series_issue
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
) AS i
LEFT JOIN (
    SELECT s.series_id, s.endpoint_prefix,
           greatest(st.last_knowledge_time, st.known_through, '-infinity') AS last_known
    FROM time_series AS s LEFT JOIN source_state AS st ON st.source = s.source
) AS s ON s.series_id = i.series_id
WHERE (s.series_id IS NULL OR i.first_ts > i.last_ts OR i.points < 1 OR i.is_again
       OR i.issued_at > s.last_known)
  AND greatest(i.first_ts, i.last_ts) >= coalesce(%(since)s, '-infinity'::timestamptz)
ORDER BY i.series_id, i.issued_at
