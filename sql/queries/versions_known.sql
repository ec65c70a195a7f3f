-- Every version of a part of a series, for each observation the oldest first.
SELECT ts, value, valid_from AS known_from, nullif(valid_to, 'infinity') AS known_to
FROM time_series_data_scd2
WHERE series_id = %(series)s
  AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
  AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
ORDER BY ts, valid_to
