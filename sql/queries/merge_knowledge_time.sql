-- K: the time from which a merge's versions are known. Later than every earlier one of the source,
-- and than every time that was called final, whatever the clock does. And whether the tables lie in
-- chunks; and the clock itself, which may have jumped since the run began.
SELECT clock_timestamp() AS clock, greatest(
    clock_timestamp(),
    last_knowledge_time + interval '1 microsecond',
    known_through + interval '1 microsecond') AS known,
    (SELECT relhassubclass OR relhastriggers FROM pg_class WHERE oid = 'time_series_data'::regclass) AS in_chunks
FROM source_state WHERE source = %(source)s
