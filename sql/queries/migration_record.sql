-- Records a migration in the transaction that applies it.
INSERT INTO schema_migration (version, name, sha256, program)
VALUES (%(version)s, %(name)s, %(sha256)s, %(program)s)
