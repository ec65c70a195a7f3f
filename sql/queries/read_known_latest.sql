-- The newest known value of every observation of a series; whatever is known now may change.
SELECT ts, value, valid_from AS since, NULL::timestamptz AS until, false AS final
FROM time_series_data_scd2
WHERE series_id = %(series)s AND valid_to = 'infinity'
  AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
  AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
ORDER BY ts
