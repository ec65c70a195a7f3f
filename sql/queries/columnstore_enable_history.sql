-- Lets chunks of this table be compressed: a series at a time, in the order in which it is asked for.
ALTER TABLE time_series_data_scd2 SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'series_id',
    timescaledb.compress_orderby = 'ts, valid_to'
)
