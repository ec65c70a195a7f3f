-- Which of these chunks of a hypertable, by the microsecond since 1970 at which they begin, overlap
-- none that is there.
SELECT s.start
FROM _timescaledb_catalog.hypertable AS h
JOIN _timescaledb_catalog.dimension AS d ON d.hypertable_id = h.id AND d.column_name = 'ts'
CROSS JOIN unnest(%(starts)s::bigint[]) AS s (start)
WHERE format('%%I.%%I', h.schema_name, h.table_name)::regclass = %(table)s::regclass
  AND NOT EXISTS (
      SELECT FROM _timescaledb_catalog.dimension_slice AS x
      WHERE x.dimension_id = d.id AND x.range_start < s.start + d.interval_length
        AND x.range_end > s.start
  )
ORDER BY s.start
