-- For which of these times a hypertable has no chunk yet.
SELECT t.table_name, t.ts
FROM unnest(%(tables)s::text[], %(ts)s::timestamptz[]) AS t (table_name, ts)
WHERE NOT EXISTS (
    SELECT FROM timescaledb_information.chunks AS k
    WHERE k.hypertable_schema = current_schema() AND k.hypertable_name = t.table_name
      AND k.range_start <= t.ts AND k.range_end > t.ts
)
ORDER BY t.ts
