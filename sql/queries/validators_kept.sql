-- What servers said of the answers that were last stored for a source.
SELECT http_validators FROM source_state WHERE source = %(source)s
