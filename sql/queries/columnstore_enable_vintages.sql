-- Lets chunks of this table be compressed: a series at a time, in the order in which it is asked for.
ALTER TABLE time_series_vintage SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'series_id',
    timescaledb.compress_orderby = 'ts, published_at, recorded_at'
)
