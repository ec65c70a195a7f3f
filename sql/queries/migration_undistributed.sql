-- Remembers that the tables lie on this server alone.
UPDATE schema_migration SET is_distributed = false WHERE is_distributed
