-- The keys of all series: verification takes them some at a time.
SELECT series_id FROM time_series ORDER BY series_id
