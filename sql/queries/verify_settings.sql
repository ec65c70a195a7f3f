-- For the statements of a verification: each reads much, and none is worth compiling. Each takes
-- one processor: there are as many statements at a time as there are connections, and fetches go on
-- beside.
SELECT set_config(name, setting, false)
FROM (
    VALUES ('jit', 'off'), ('work_mem', '64MB'), ('max_parallel_workers_per_gather', '0')
) AS settings (name, setting)
