-- How each of these tables is compressed, and by what policy; whether this role may change that. Of a
-- table for which nobody has chosen how, one of its compressed chunks tells what was chosen for it.
SELECT c.relname AS "table", pg_has_role(c.relowner, 'USAGE') AS is_owned,
       pg_get_userbyid(c.relowner) AS owner, d.time_interval AS chunk_interval,
       coalesce(s.segmentby, k.segmentby) AS segmentby, coalesce(s.orderby, k.orderby) AS orderby,
       j.after
FROM pg_class AS c
LEFT JOIN timescaledb_information.dimensions AS d
    ON d.hypertable_schema = current_schema() AND d.hypertable_name = c.relname
       AND d.column_name = 'ts'
LEFT JOIN timescaledb_information.hypertable_columnstore_settings AS s
    ON s.hypertable = c.oid::regclass
LEFT JOIN LATERAL (
    SELECT segmentby, orderby FROM timescaledb_information.chunk_columnstore_settings
    WHERE hypertable = c.oid::regclass AND s.segmentby IS NULL AND s.orderby IS NULL
    ORDER BY chunk::oid LIMIT 1
) AS k ON true
LEFT JOIN LATERAL (
    SELECT (config ->> 'compress_after')::interval AS after
    FROM timescaledb_information.jobs
    WHERE hypertable_schema = current_schema() AND hypertable_name = c.relname
      AND proc_name IN ('policy_compression', 'policy_columnstore')
    ORDER BY job_id LIMIT 1
) AS j ON true
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY (%(tables)s::text[])
