-- How much room these tables, or chunks of tables, take; and what upkeep goes by: how many rows are
-- dead or have changed, how large the indexes would be were they made anew, and which of them a
-- REINDEX left behind that was cut off.
SELECT c.oid AS relation, format('%%I.%%I', n.nspname, c.relname) AS name,
       pg_has_role(c.relowner, 'USAGE') AS is_owned, pg_get_userbyid(c.relowner) AS owner,
       pg_table_size(c.oid) AS heap_bytes, i.bytes AS index_bytes,
       c.reltuples::bigint AS tuples,
       coalesce(s.n_live_tup, 0) AS live, coalesce(s.n_dead_tup, 0) AS dead,
       coalesce(s.n_mod_since_analyze, 0) AS modified,
       i.fresh_bytes AS fresh_index_bytes, coalesce(i.left_over, '{}') AS left_over
FROM unnest(%(relations)s::oid[]) AS r (oid)
JOIN pg_class AS c ON c.oid = r.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
CROSS JOIN LATERAL (
    SELECT coalesce(sum(pg_relation_size(x.indexrelid)), 0)::bigint AS bytes,
           -- an entry has a head and a pointer, twelve bytes; pages are filled to nine tenths
           coalesce(sum(16384 + greatest(w.entries, 0) * (12 + 8 * ceil(w.bytes / 8.0)) / 0.9), 0)
               ::bigint AS fresh_bytes,
           array_agg(format('%%I.%%I', n.nspname, o.relname))
               FILTER (WHERE NOT x.indisvalid AND o.relname ~ '_cc(new|old)\d*$') AS left_over
    FROM pg_index AS x
    JOIN pg_class AS o ON o.oid = x.indexrelid
    CROSS JOIN LATERAL (
        -- a partial one has some of the rows only
        SELECT sum(CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END) AS bytes,
               CASE WHEN x.indpred IS NULL THEN c.reltuples ELSE o.reltuples END AS entries
        FROM pg_attribute AS a WHERE a.attrelid = x.indexrelid
    ) AS w
    WHERE x.indrelid = c.oid
) AS i
