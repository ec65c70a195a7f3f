-- Has a source that takes series over go on after the other one's last K.
UPDATE source_state AS s
SET last_knowledge_time = greatest(s.last_knowledge_time, o.last_knowledge_time, o.known_through)
FROM source_state AS o
WHERE s.source = %(source)s AND o.source = %(renamed_from)s
