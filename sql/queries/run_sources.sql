-- The names of all sources that ever ran.
SELECT source FROM source_state ORDER BY source
