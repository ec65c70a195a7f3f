-- How much room tables take, of which some lie on several machines, and what upkeep goes by: of each of
-- those the sum of its parts, as each machine knows them. What a REINDEX left behind there that was
-- cut off, stands under the name of a part: VACUUM and REINDEX go by the table, and leave it.
WITH part AS MATERIALIZED (
    SELECT d.relid, f.facts
    FROM run_command_on_all_nodes(format($command$
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'table', t.relname, 'heap', pg_table_size(c.oid), 'tuples', c.reltuples,
            'live', coalesce(s.n_live_tup, 0), 'dead', coalesce(s.n_dead_tup, 0),
            'modified', coalesce(s.n_mod_since_analyze, 0), 'index', i.bytes, 'fresh', i.fresh)),
            '[]')
        FROM pg_dist_shard AS h
        JOIN pg_dist_placement AS p ON p.shardid = h.shardid
        JOIN pg_dist_local_group AS g ON g.groupid = p.groupid
        JOIN pg_class AS t ON t.oid = h.logicalrelid
        JOIN pg_namespace AS n ON n.oid = t.relnamespace
        JOIN pg_class AS c
            ON c.oid = to_regclass(format('%%%%I.%%%%I', n.nspname, t.relname || '_' || h.shardid))
        LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
        CROSS JOIN LATERAL (
            SELECT sum(pg_relation_size(x.indexrelid)) AS bytes,
                   sum(16384 + greatest(
                           CASE WHEN x.indpred IS NULL THEN c.reltuples ELSE o.reltuples END, 0)
                       * (12 + 8 * ceil((
                           SELECT sum(CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END)
                           FROM pg_attribute AS a WHERE a.attrelid = x.indexrelid) / 8.0))
                       / 0.9) AS fresh
            FROM pg_index AS x JOIN pg_class AS o ON o.oid = x.indexrelid
            WHERE x.indrelid = c.oid
        ) AS i
        WHERE n.nspname = %%L
    $command$, current_schema())) AS r
    CROSS JOIN LATERAL jsonb_array_elements(r.result::jsonb) AS f (facts)
    JOIN pg_class AS l ON l.relname = f.facts ->> 'table'
        AND l.relnamespace = current_schema()::regnamespace
    CROSS JOIN LATERAL (SELECT l.oid AS relid) AS d
    WHERE r.success
), whole AS (
    SELECT relid, sum((facts ->> 'heap')::float8)::bigint AS heap_bytes,
           sum((facts ->> 'index')::float8)::bigint AS index_bytes,
           sum((facts ->> 'fresh')::float8)::bigint AS fresh_index_bytes,
           sum(greatest((facts ->> 'tuples')::float8, 0))::bigint AS tuples,
           sum((facts ->> 'live')::bigint)::bigint AS live,
           sum((facts ->> 'dead')::bigint)::bigint AS dead,
           sum((facts ->> 'modified')::bigint)::bigint AS modified
    FROM part GROUP BY relid
)
SELECT c.oid AS relation, format('%%I.%%I', n.nspname, c.relname) AS name,
       pg_has_role(c.relowner, 'USAGE') AS is_owned, pg_get_userbyid(c.relowner) AS owner,
       coalesce(w.heap_bytes, pg_table_size(c.oid)) AS heap_bytes,
       coalesce(w.index_bytes, i.bytes) AS index_bytes,
       coalesce(w.tuples, c.reltuples::bigint) AS tuples,
       coalesce(w.live, s.n_live_tup, 0) AS live, coalesce(w.dead, s.n_dead_tup, 0) AS dead,
       coalesce(w.modified, s.n_mod_since_analyze, 0) AS modified,
       coalesce(w.fresh_index_bytes, i.fresh_bytes) AS fresh_index_bytes,
       coalesce(i.left_over, '{}') AS left_over
FROM unnest(%(relations)s::oid[]) AS r (oid)
JOIN pg_class AS c ON c.oid = r.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
LEFT JOIN whole AS w ON w.relid = c.oid
CROSS JOIN LATERAL (
    SELECT coalesce(sum(pg_relation_size(x.indexrelid)), 0)::bigint AS bytes,
           -- an entry has a head and a pointer, twelve bytes; pages are filled to nine tenths
           coalesce(sum(16384 + greatest(e.entries, 0) * (12 + 8 * ceil(e.bytes / 8.0)) / 0.9), 0)
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
    ) AS e
    WHERE x.indrelid = c.oid
) AS i
