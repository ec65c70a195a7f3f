-- The first stored observation of a series after a time, if there is one.
SELECT ts FROM time_series_data WHERE series_id = %(series)s AND ts > %(after)s ORDER BY ts LIMIT 1
