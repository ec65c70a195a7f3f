-- How many versions of a series there are, and of when: reads every one of them.
SELECT count(*) AS versions,
       count(DISTINCT ts) - count(*) FILTER (WHERE valid_to = 'infinity') AS retracted,
       count(*) FILTER (WHERE valid_to = 'infinity') AS observations,
       min(valid_from) AS first_known,
       max(greatest(valid_from, nullif(valid_to, 'infinity'))) AS last_known
FROM time_series_data_scd2
WHERE series_id = %(series)s
