-- The latest time as of which anything of a source is known.
SELECT greatest(last_knowledge_time, known_through) AS latest
FROM source_state WHERE source = %(source)s
