-- The names of all series: to suggest one for a name that is not there.
SELECT endpoint_prefix FROM time_series ORDER BY endpoint_prefix
