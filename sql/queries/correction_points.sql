-- When the stored observations of a series are: all of them, for a plugin that mends how it read them.
SELECT ts FROM time_series_data WHERE series_id = %(series)s ORDER BY ts
