-- Lets a snapshot be held for as long as somebody looks at what they read, batch by batch: for this
-- transaction, so that a pooler hands it to nobody else.
SELECT pg_catalog.set_config('idle_in_transaction_session_timeout', '30min', true)
