-- When anything was known of a series for the first time, if that was after a time; all versions are
-- looked at only then.
SELECT min(valid_from) FROM time_series_data_scd2
WHERE series_id = %(series)s AND NOT EXISTS (
    SELECT FROM time_series_data_scd2 WHERE series_id = %(series)s AND valid_from <= %(at)s
)
