-- The tables of these names that there are.
SELECT c.relname, c.oid, pg_total_relation_size(c.oid)
FROM pg_class AS c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
  AND c.relname = ANY (%(tables)s::text[])
ORDER BY array_position(%(tables)s::text[], c.relname::text)
