-- The newest known values of the last observations of a series: so many rows are read, and no more.
SELECT ts, value, valid_from, valid_to FROM (
    SELECT ts, value, valid_from, nullif(valid_to, 'infinity') AS valid_to
    FROM time_series_data_scd2
    WHERE series_id = %(series)s AND valid_to = 'infinity'
      AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
    ORDER BY ts DESC
    LIMIT %(limit)s
) AS newest
ORDER BY ts
