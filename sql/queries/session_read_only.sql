-- Setting of a session that only reads, besides session_settings.sql.
SET default_transaction_read_only = on
