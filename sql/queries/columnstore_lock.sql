-- Until the end of a transaction nobody opens a chunk: whoever does sets the interval of chunks back to
-- what it was when the lock was had. Current values before versions, as everywhere.
LOCK TABLE ONLY time_series_data, ONLY time_series_data_scd2, ONLY time_series_vintage
    IN SHARE UPDATE EXCLUSIVE MODE
