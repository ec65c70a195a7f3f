-- Versions and publications at a time that is none, found by their index.
SELECT w.series_id, s.endpoint_prefix AS series, to_json(w.ts) #>> '{}' AS ts,
       to_json(w.valid_from) #>> '{}' AS valid_from, to_json(w.published_at) #>> '{}' AS published_at,
       w.run_id, w.fault
FROM (
    SELECT series_id, ts, valid_from, NULL::timestamptz AS published_at, run_id, 'no_time' AS fault
    FROM time_series_data_scd2
    WHERE series_id = ANY (%(ids)s::integer[]) AND ts = ANY ('{-infinity,infinity}'::timestamptz[])
    UNION ALL
    SELECT series_id, ts, NULL, published_at, run_id, 'vintage_no_time'
    FROM time_series_vintage
    WHERE series_id = ANY (%(ids)s::integer[]) AND ts = ANY ('{-infinity,infinity}'::timestamptz[])
) AS w
JOIN time_series AS s ON s.series_id = w.series_id
WHERE %(since)s::timestamptz IS NULL OR w.ts >= %(since)s::timestamptz
ORDER BY w.series_id, w.ts
