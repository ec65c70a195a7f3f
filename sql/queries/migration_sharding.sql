-- Where an engine keeps which schemas it shards as wholes; NULL where there is none.
SELECT to_regclass('pg_catalog.pg_dist_schema')::text
