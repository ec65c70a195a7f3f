-- Set besides for a session that only looks.
SET default_transaction_read_only = on
