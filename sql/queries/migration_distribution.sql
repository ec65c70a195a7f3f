-- Whether the tables of observations are spread over servers; asked where there is an engine for it.
SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'time_series_data'::regclass)
