-- Where an engine that spreads tables over servers keeps which of them this one is; NULL where there is
-- none.
SELECT to_regclass('pg_catalog.pg_dist_local_group')::text
