-- Which migrations are applied: what the first schema_migration down the path says, and the schema
-- that it lies in.
-- Asked of the table itself: a process that has just begun takes its time over names. (1259 is
-- pg_class.)
SELECT current_schema(),
       (pg_identify_object_as_address(1259, tableoid, 0)).object_names[1] AS table_schema,
       version, name, sha256,
       -- an older schema has no such column
       coalesce((to_jsonb(schema_migration) ->> 'is_distributed')::boolean, false) AS is_distributed
FROM schema_migration
