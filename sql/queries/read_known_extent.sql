-- The first and the last ts of a series, as the ends of an index.
SELECT min(ts) AS first, max(ts) AS last FROM time_series_data_scd2 WHERE series_id = %(series)s
