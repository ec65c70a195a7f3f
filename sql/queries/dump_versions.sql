-- Every version of a series in the order of the index, which for each observation is the oldest first.
SELECT ts, value, valid_from, nullif(valid_to, 'infinity')
FROM time_series_data_scd2 WHERE series_id = %(series)s
ORDER BY ts, valid_to
