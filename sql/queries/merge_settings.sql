-- For a merge's transaction: every row is looked up by the index, so that the cost is that of the
-- batch. Of a table that was just filled there are no statistics yet, and the planner would read
-- all of it for a few revisions. And where chunks are compressed, a revision may make as many rows
-- rows again as it has to; what TimescaleDB allows as a rule is less than one of a whole year needs.
SELECT set_config(name, value, true)
FROM (VALUES
    ('enable_seqscan', 'off'), ('enable_bitmapscan', 'off'), ('enable_hashjoin', 'off'),
    ('enable_mergejoin', 'off'), ('jit', 'off'),
    ('timescaledb.max_tuples_decompressed_per_dml_transaction', '0')
) AS settings (name, value)
WHERE current_setting(name, true) IS NOT NULL
