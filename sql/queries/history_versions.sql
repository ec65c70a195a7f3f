-- Every version of one observation, oldest first.
SELECT ts, value, valid_from, nullif(valid_to, 'infinity') AS valid_to, run_id
FROM time_series_data_scd2
WHERE series_id = %(series)s AND ts = %(ts)s
ORDER BY valid_from
