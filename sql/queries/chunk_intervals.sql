-- How many microseconds a chunk of a hypertable covers; no row where it is a plain table.
SELECT d.interval_length
FROM _timescaledb_catalog.hypertable AS h
JOIN _timescaledb_catalog.dimension AS d ON d.hypertable_id = h.id AND d.column_name = 'ts'
WHERE format('%%I.%%I', h.schema_name, h.table_name)::regclass = %(table)s::regclass
  AND d.interval_length IS NOT NULL
