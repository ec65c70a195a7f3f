-- The first and the last ts of the versions and publications of a series, as the ends of their indexes.
SELECT min(e.first) AS first, max(e.last) AS last
FROM (
    SELECT min(ts) AS first, max(ts) AS last FROM time_series_data_scd2
    WHERE series_id = %(series)s
    UNION ALL
    SELECT min(ts), max(ts) FROM time_series_vintage WHERE series_id = %(series)s
) AS e
