-- Whether no two current values can be of one observation.
SELECT EXISTS (
    SELECT FROM pg_index
    WHERE indrelid = 'time_series_data'::regclass AND indisprimary AND indisvalid
)
