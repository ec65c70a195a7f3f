-- Every series, and whether it goes on.
SELECT source, series_id, endpoint_prefix, advances, advanced_at FROM time_series
ORDER BY endpoint_prefix
