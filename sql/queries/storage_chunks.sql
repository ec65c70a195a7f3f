-- The chunks of these tables, with the size of their compressed part, and of all when it was still
-- rows.
SELECT t.name AS "table", format('%%I.%%I', k.chunk_schema, k.chunk_name)::regclass::oid AS relation,
       k.range_start, k.range_end, k.is_compressed,
       greatest(s.total_bytes
                - pg_total_relation_size(format('%%I.%%I', k.chunk_schema, k.chunk_name)::regclass), 0)
           AS compressed_bytes,
       c.before_compression_total_bytes AS rows_bytes
FROM unnest(%(tables)s::text[]) AS t (name)
JOIN timescaledb_information.chunks AS k
    ON k.hypertable_schema = current_schema() AND k.hypertable_name = t.name
LEFT JOIN LATERAL chunks_detailed_size(to_regclass(quote_ident(t.name))) AS s
    ON s.chunk_schema = k.chunk_schema AND s.chunk_name = k.chunk_name AND k.is_compressed
LEFT JOIN LATERAL chunk_compression_stats(to_regclass(quote_ident(t.name))) AS c
    ON c.chunk_schema = k.chunk_schema AND c.chunk_name = k.chunk_name AND k.is_compressed
ORDER BY t.name, k.range_start
