-- Records the source's last K, and of the series that changed that they did, in the transaction that
-- wrote versions as known from it on.
WITH changed AS (
    UPDATE time_series
    SET first_known_at = coalesce(first_known_at, %(known)s), changed_at = %(known)s
    WHERE series_id = ANY (%(series)s::integer[])
)
UPDATE source_state SET last_knowledge_time = %(known)s WHERE source = %(source)s
