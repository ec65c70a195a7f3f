-- The first and the last ts of the publications of a series, as the ends of an index.
SELECT min(ts) AS first, max(ts) AS last FROM time_series_vintage WHERE series_id = %(series)s
