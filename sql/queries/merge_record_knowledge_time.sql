-- Records the source's last K, in the transaction that wrote versions as known from it on.
UPDATE source_state SET last_knowledge_time = %(known)s WHERE source = %(source)s
