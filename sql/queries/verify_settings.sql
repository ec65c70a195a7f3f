-- For the statements of a verification: each reads much, and none is worth compiling.
SELECT set_config(name, setting, false)
FROM (VALUES ('jit', 'off'), ('work_mem', '64MB')) AS settings (name, setting)
