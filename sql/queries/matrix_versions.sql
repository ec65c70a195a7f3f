-- Every version of a part of a series, observation by observation, oldest first.
SELECT ts, value, valid_from AS since, nullif(valid_to, 'infinity') AS until
FROM time_series_data_scd2
WHERE series_id = %(series)s
  AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
  AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
ORDER BY ts, valid_to
