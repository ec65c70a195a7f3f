-- Drops the resolutions of a series that turned out to be others.
DELETE FROM time_series_resolution
WHERE series_id = %(series)s AND ts_from = ANY (%(ts)s::timestamptz[])
