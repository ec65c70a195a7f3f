-- The tables of these names that there are, and what they take on all servers.
SELECT c.relname, c.oid,
       CASE WHEN EXISTS (SELECT FROM pg_dist_partition AS p WHERE p.logicalrelid = c.oid)
           THEN citus_total_relation_size(c.oid) ELSE pg_total_relation_size(c.oid) END
FROM pg_class AS c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
  AND c.relname = ANY (%(tables)s::text[])
ORDER BY array_position(%(tables)s::text[], c.relname::text)
