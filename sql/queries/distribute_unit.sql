-- What of the distributed tables lies on one machine as a whole.
SELECT CASE partmethod WHEN 'n' THEN 'portal' ELSE 'series' END
FROM pg_dist_partition
WHERE logicalrelid = 'time_series_data'::regclass
