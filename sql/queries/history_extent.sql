-- How much is known about a series: reads every version of it.
SELECT count(*) AS versions,
       count(*) FILTER (WHERE valid_to = 'infinity') AS observations,
       count(DISTINCT ts) - count(*) FILTER (WHERE valid_to = 'infinity') AS retracted,
       min(ts) FILTER (WHERE valid_to = 'infinity') AS first_ts,
       max(ts) FILTER (WHERE valid_to = 'infinity') AS last_ts,
       min(valid_from) AS first_known,
       max(greatest(valid_from, nullif(valid_to, 'infinity'))) AS last_known
FROM time_series_data_scd2
WHERE series_id = %(series)s
