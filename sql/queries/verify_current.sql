-- Current values of a range of series that are not what the open versions say.
SELECT coalesce(d.series_id, v.series_id) AS series_id, s.endpoint_prefix AS series,
       to_json(coalesce(d.ts, v.ts)) #>> '{}' AS ts, to_json(v.valid_from) #>> '{}' AS valid_from,
       coalesce(v.run_id, d.run_id) AS run_id,
       CASE WHEN v.ts IS NULL THEN 'no_open_version'
            WHEN d.ts IS NULL THEN 'no_current_value'
            WHEN d.value IS DISTINCT FROM v.value THEN 'another_value'
            ELSE 'another_run' END AS fault
FROM (
    SELECT series_id, ts, value, updated_at, run_id FROM time_series_data
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
) AS d
FULL JOIN (
    SELECT series_id, ts, value, valid_from, run_id FROM time_series_data_scd2
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
      AND valid_to = 'infinity'
) AS v ON v.series_id = d.series_id AND v.ts = d.ts
LEFT JOIN time_series AS s ON s.series_id = coalesce(d.series_id, v.series_id)
WHERE v.ts IS NULL OR d.ts IS NULL OR d.value IS DISTINCT FROM v.value
   OR d.updated_at <> v.valid_from OR d.run_id <> v.run_id
ORDER BY 1, coalesce(d.ts, v.ts)
