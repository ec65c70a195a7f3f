-- Sources that know something as of a time that is yet to come.
SELECT source AS series,
       to_json(greatest(last_knowledge_time, known_through)) #>> '{}' AS valid_from,
       'known_ahead' AS fault
FROM source_state
WHERE greatest(last_knowledge_time, known_through) > %(ahead)s
ORDER BY source
