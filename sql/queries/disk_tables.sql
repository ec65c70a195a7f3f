-- What each table takes with its indexes, and about how many rows it has; a hypertable with all of its
-- chunks, which inherit from it.
WITH RECURSIVE part AS (
    SELECT c.oid, c.relname AS name, c.reltuples
    FROM pg_class AS c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY (%(tables)s)
    UNION ALL
    SELECT c.oid, part.name, c.reltuples
    FROM part
    JOIN pg_inherits AS i ON i.inhparent = part.oid
    JOIN pg_class AS c ON c.oid = i.inhrelid
)
SELECT name, sum(pg_total_relation_size(oid))::bigint AS bytes,
       sum(greatest(reltuples, 0))::bigint AS rows
FROM part
GROUP BY name
ORDER BY bytes DESC, name
