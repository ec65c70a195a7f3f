-- The chunks of a table that are compressed, in the order of their times.
SELECT format('%%I.%%I', k.chunk_schema, k.chunk_name) AS chunk, k.range_start, k.range_end
FROM timescaledb_information.chunks AS k
WHERE k.hypertable_schema = current_schema() AND k.hypertable_name = %(table)s AND k.is_compressed
ORDER BY k.range_start
