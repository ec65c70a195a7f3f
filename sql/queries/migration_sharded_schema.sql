-- Whether the schema is one that the engine shards as a whole.
SELECT EXISTS (SELECT FROM pg_dist_schema WHERE schemaid = current_schema()::regnamespace)
