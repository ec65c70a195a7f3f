-- Ends the compression of this table, none of whose chunks is compressed any more.
ALTER TABLE time_series_data_scd2 SET (timescaledb.compress = false)
