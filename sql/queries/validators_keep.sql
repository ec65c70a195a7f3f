-- What servers said of the answers that this transaction stores; NULL for nothing to be relied on.
UPDATE source_state SET http_validators = %(validators)s::jsonb
WHERE source = %(source)s AND http_validators IS DISTINCT FROM %(validators)s::jsonb
