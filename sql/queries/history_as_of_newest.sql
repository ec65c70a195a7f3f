-- The last observations of a series as it was known at a time.
SELECT ts, value, valid_from, valid_to FROM (
    SELECT ts, value, valid_from, valid_to
    FROM time_series_data_as_of(%(at)s)
    WHERE series_id = %(series)s
      AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
    ORDER BY ts DESC
    LIMIT %(limit)s
) AS newest
ORDER BY ts
