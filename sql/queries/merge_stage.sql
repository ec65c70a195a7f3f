-- Where a large batch is compared from; made once a connection, empty after each transaction.
CREATE TEMPORARY TABLE IF NOT EXISTS dataportal_stage (
    series_id integer NOT NULL, ts timestamptz NOT NULL, value double precision
) ON COMMIT DELETE ROWS
