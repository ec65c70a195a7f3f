-- Rows that say how long the intervals of a series are, of no series or of no length.
SELECT r.series_id, s.endpoint_prefix AS series, to_json(r.ts_from) #>> '{}' AS ts, r.run_id,
       CASE WHEN s.series_id IS NULL THEN 'resolution_of_no_series' ELSE 'no_resolution' END AS fault
FROM time_series_resolution AS r
LEFT JOIN time_series AS s ON s.series_id = r.series_id
WHERE (s.series_id IS NULL OR r.resolution <= INTERVAL '0')
  AND r.ts_from >= coalesce(%(since)s, '-infinity'::timestamptz)
ORDER BY r.series_id, r.ts_from
