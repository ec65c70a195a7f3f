-- The migrations applied to the schema that tables go to; one further down the path does not count.
SELECT current_schema(), version, name, sha256 FROM schema_migration
WHERE tableoid = to_regclass(quote_ident(current_schema()) || '.schema_migration')
