-- One series: what it is, and how much is known about it.
SELECT s.series_id, s.endpoint_prefix, s.name, s.description, s.source, s.granularity, s.unit,
       s.domain, s.category, s.subcategory, s.ts_timezone, s.metadata, st.known_through,
       v.versions, v.observations, v.retracted, v.first_ts, v.last_ts, v.first_known, v.last_known
FROM time_series AS s
LEFT JOIN source_state AS st ON st.source = s.source
CROSS JOIN LATERAL (
    SELECT count(*) AS versions,
           count(*) FILTER (WHERE d.valid_to = 'infinity') AS observations,
           count(DISTINCT d.ts) - count(*) FILTER (WHERE d.valid_to = 'infinity') AS retracted,
           min(d.ts) FILTER (WHERE d.valid_to = 'infinity') AS first_ts,
           max(d.ts) FILTER (WHERE d.valid_to = 'infinity') AS last_ts,
           min(d.valid_from) AS first_known,
           max(greatest(d.valid_from, nullif(d.valid_to, 'infinity'))) AS last_known
    FROM time_series_data_scd2 AS d WHERE d.series_id = s.series_id
) AS v
WHERE s.endpoint_prefix = %(name)s
