-- Distributes the tables of observations, so that all of a series lies on one machine, or all of the
-- portal, and remembers it. What they hold goes along; the copies that stay behind are taken away.
DO $$
DECLARE
    distribution_column text := nullif(current_setting('dataportal.distribution_column'), '');
    relation text;
BEGIN
    -- functions and tables are changed in one transaction, which the engine does in one way only
    PERFORM set_config('citus.multi_shard_modify_mode', 'sequential', true);
    -- a shard can move to another machine while runs write
    ALTER TABLE time_series_data_scd2
        REPLICA IDENTITY USING INDEX time_series_data_scd2_series_id_ts_valid_to_key;
    ALTER TABLE time_series_vintage REPLICA IDENTITY USING INDEX time_series_vintage_newest;
    FOREACH relation IN ARRAY ARRAY['time_series_data', 'time_series_data_scd2', 'time_series_vintage']
    LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_dist_partition
            WHERE logicalrelid = format('%I.%I', current_schema(), relation)::regclass);
        PERFORM create_distributed_table(
            format('%I.%I', current_schema(), relation), distribution_column,
            colocate_with => CASE
                WHEN relation = 'time_series_data' AND distribution_column IS NULL THEN 'none'
                WHEN relation = 'time_series_data' THEN 'default'
                ELSE format('%I.%I', current_schema(), 'time_series_data') END);
        PERFORM truncate_local_data_after_distributing_table(
            format('%I.%I', current_schema(), relation)::regclass);
    END LOOP;
    UPDATE schema_migration SET is_distributed = true;
END
$$
