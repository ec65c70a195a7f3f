-- The schema that tables go to, and whether dataportal has its records there.
SELECT current_schema(), to_regclass(format('%I.schema_migration', current_schema())) IS NOT NULL
