-- The migrations applied to this schema.
SELECT version, name, sha256 FROM schema_migration ORDER BY version
