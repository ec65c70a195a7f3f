-- Which migrations are applied: what the first schema_migration down the path says, and the schema
-- that it lies in.
-- Asked of the table itself: a process that has just begun takes its time over names. (1259 is
-- pg_class.) An older schema has no column is_distributed: then the name means that of the row beside.
SELECT pg_catalog.current_schema(),
       (pg_catalog.pg_identify_object_as_address(1259, m.tableoid, 0)).object_names[1] AS table_schema,
       m.version, m.name, m.sha256, m.is_distributed
FROM (SELECT false AS is_distributed) AS older
CROSS JOIN LATERAL (
    SELECT tableoid, version, name, sha256, is_distributed FROM schema_migration
) AS m
