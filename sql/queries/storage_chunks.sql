-- The chunks of these tables, with the size of their compressed part, and of all when it was still
-- rows. What the extension knows of sizes is asked once a table, as it looks at all of its chunks;
-- and only of tables of which any chunk is compressed.
WITH chunks AS MATERIALIZED (
    SELECT k.hypertable_name AS name, k.chunk_schema, k.chunk_name,
           format('%%I.%%I', k.chunk_schema, k.chunk_name)::regclass AS relation,
           -- a wide one may reach beyond what Python has
           greatest(k.range_start, '0001-01-01 00:00:00+00') AS range_start,
           least(k.range_end, '9999-12-31 23:59:59+00') AS range_end, k.is_compressed
    FROM timescaledb_information.chunks AS k
    WHERE k.hypertable_schema = current_schema() AND k.hypertable_name = ANY (%(tables)s::text[])
), tables AS MATERIALIZED (
    SELECT name, to_regclass(quote_ident(name)) AS relation
    FROM chunks GROUP BY name HAVING bool_or(is_compressed)
), sizes AS MATERIALIZED (
    SELECT t.name, s.chunk_schema, s.chunk_name, s.total_bytes
    FROM tables AS t CROSS JOIN LATERAL chunks_detailed_size(t.relation) AS s
), compressed AS MATERIALIZED (
    SELECT t.name, c.chunk_schema, c.chunk_name, c.before_compression_total_bytes AS rows_bytes
    FROM tables AS t CROSS JOIN LATERAL chunk_compression_stats(t.relation) AS c
)
SELECT k.name AS "table", k.relation::oid AS relation, k.range_start, k.range_end, k.is_compressed,
       greatest(s.total_bytes - pg_total_relation_size(k.relation), 0) AS compressed_bytes,
       c.rows_bytes
FROM chunks AS k
LEFT JOIN sizes AS s USING (name, chunk_schema, chunk_name)
LEFT JOIN compressed AS c USING (name, chunk_schema, chunk_name)
ORDER BY k.name, k.range_start
