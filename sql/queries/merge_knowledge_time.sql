-- K: the time from which a merge's versions are known. Later than every earlier one of the source,
-- and than every time that was called final, whatever the clock does.
SELECT greatest(
    clock_timestamp(),
    last_knowledge_time + interval '1 microsecond',
    known_through + interval '1 microsecond')
FROM source_state WHERE source = %(source)s
