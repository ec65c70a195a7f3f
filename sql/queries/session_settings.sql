-- Sets the limits of a session, in the server process that it began with alone: a pooler may have given
-- it another one, which serves others too. No row says so. One call for all, and a function in place of
-- an operator: a process that has just begun takes its time over each name.
SELECT pg_catalog.set_config(s.name, s.setting, false)
FROM (VALUES
    ('TimeZone', 'UTC'),
    -- for what is copied out as text
    ('DateStyle', 'ISO'),
    ('IntervalStyle', 'postgres'),
    ('extra_float_digits', '1'),
    -- to compile a statement takes longer than any of ours that reads through an index
    ('jit', 'off'),
    ('statement_timeout', '15min'),
    ('lock_timeout', '2min'),
    ('idle_in_transaction_session_timeout', '2min'),
    -- a session waits for a provider, and a first load takes as long as it takes; what a role, a database
    -- or a server says of this is meant for people
    ('idle_session_timeout', '0'),
    -- the same, where PostgreSQL has it, from 17 on; else NULL
    (%(transaction_timeout)s, '0'),
    -- a client whose network is gone holds its lock until the server notices: not for two hours
    ('tcp_keepalives_idle', '20'),
    ('tcp_keepalives_interval', '10'),
    ('tcp_keepalives_count', '3'),
    ('tcp_user_timeout', '60s'),
    ('default_transaction_read_only', %(read_only)s)
) AS s (name, setting)
WHERE s.name IS NOT NULL
  AND pg_catalog.int4eq(pg_catalog.pg_backend_pid(), %(process)s)
