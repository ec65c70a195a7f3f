-- Lets what changes tables and functions of a cluster go into one transaction.
SET LOCAL citus.multi_shard_modify_mode = 'sequential'
