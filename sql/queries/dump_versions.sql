-- Every version of a series in the order of the index, which for each observation is the oldest
-- first.
SELECT v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity') AS valid_to
FROM time_series_data_scd2 AS v WHERE v.series_id = %(series)s
ORDER BY v.ts, v.valid_to
