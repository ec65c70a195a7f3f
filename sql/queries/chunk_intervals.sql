-- How many microseconds a chunk covers, of each of these tables that is a hypertable on ts.
SELECT hypertable_name, (extract(epoch FROM time_interval) * 1000000)::bigint
FROM timescaledb_information.dimensions
WHERE hypertable_schema = current_schema() AND hypertable_name = ANY (%(tables)s::text[])
  AND column_name = 'ts' AND time_interval IS NOT NULL
