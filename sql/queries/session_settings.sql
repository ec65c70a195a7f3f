-- Sets a session's limits and answers with the server process that serves it.
SELECT pg_backend_pid(),
       set_config('TimeZone', 'UTC', false),
       set_config('statement_timeout', '15min', false),
       set_config('lock_timeout', '2min', false),
       set_config('idle_in_transaction_session_timeout', '2min', false),
       set_config('default_transaction_read_only', %(read_only)s, false)
