-- The schema that tables go to, and whether dataportal has its records there.
SELECT current_schema(),
       to_regclass(quote_ident(current_schema()) || '.schema_migration') IS NOT NULL
