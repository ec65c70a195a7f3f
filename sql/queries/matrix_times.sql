-- The knowledge times at which anything of a part of a series changed, in order.
SELECT at FROM (
    SELECT valid_from AS at FROM time_series_data_scd2
    WHERE series_id = %(series)s
      AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
    UNION
    SELECT valid_to FROM time_series_data_scd2
    WHERE series_id = %(series)s AND valid_to < 'infinity'
      AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
) AS change
ORDER BY at
LIMIT %(most)s
