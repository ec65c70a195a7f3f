-- For a merge's transaction: every row is looked up by the index, so that the cost is that of the
-- batch. Of a table that was just filled there are no statistics yet, and the planner would read
-- all of it for a few revisions.
SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)
