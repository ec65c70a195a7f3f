-- Lets a session hold a snapshot for as long as somebody looks at what they read, batch by batch.
SELECT pg_catalog.set_config('idle_in_transaction_session_timeout', '30min', false)
