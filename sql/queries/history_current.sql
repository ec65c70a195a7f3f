-- The newest known value of every observation of a series.
SELECT ts, value, valid_from, nullif(valid_to, 'infinity') AS valid_to
FROM time_series_data_scd2
WHERE series_id = %(series)s AND valid_to = 'infinity'
  AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
  AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
ORDER BY ts
