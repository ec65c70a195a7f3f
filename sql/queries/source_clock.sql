-- The database's clock, and the latest time as of which anything of a source is known.
SELECT clock_timestamp(),
       (SELECT greatest(last_knowledge_time, known_through)
        FROM source_state WHERE source = %(source)s)
