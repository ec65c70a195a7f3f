-- For a merge's transaction: every row is looked up by the index, so that the cost is that of the
-- batch. Of a table that was just filled there are no statistics yet, and the planner would read
-- all of it for a few revisions.
SELECT set_config(name, 'off', true)
FROM unnest(ARRAY[
    'enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin', 'jit'
]) AS settings (name)
