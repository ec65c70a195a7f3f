-- How many publications of a series are recorded.
SELECT count(*) FROM time_series_vintage WHERE series_id = %(series)s
