-- Ends the compression of this table, none of whose chunks is compressed any more.
ALTER TABLE time_series_vintage SET (timescaledb.compress = false)
