-- Sets a session's limits and answers with the server process that serves it.
SELECT pg_backend_pid(),
       set_config('TimeZone', 'UTC', false),
       -- for what is copied out as text
       set_config('DateStyle', 'ISO', false),
       set_config('extra_float_digits', '1', false),
       set_config('statement_timeout', '15min', false),
       set_config('lock_timeout', '2min', false),
       set_config('idle_in_transaction_session_timeout', '2min', false),
       -- a client whose network is gone holds its lock until the server notices: not for two hours
       set_config('tcp_keepalives_idle', '20', false),
       set_config('tcp_keepalives_interval', '10', false),
       set_config('tcp_keepalives_count', '3', false),
       set_config('tcp_user_timeout', '60s', false),
       set_config('default_transaction_read_only', %(read_only)s, false)
