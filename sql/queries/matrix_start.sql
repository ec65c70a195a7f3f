-- The ts from which on a series has so many observations, current or not; NULL where it has fewer.
SELECT ts FROM (
    SELECT DISTINCT ts FROM time_series_data_scd2
    WHERE series_id = %(series)s
      AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
    ORDER BY ts DESC LIMIT %(limit)s
) AS newest
ORDER BY ts LIMIT 1
