-- Answers with the server process that serves a session, and sets the session's limits; together, in
-- one round trip. Where a pooler stands in between, that process serves others too, and is not the one
-- that the client was told of: then nothing is set for longer than this statement.
SELECT pg_catalog.pg_backend_pid();
SELECT pg_catalog.set_config(name, value, pg_catalog.pg_backend_pid() <> %(pid)s) FROM (VALUES
    -- what is not named in it comes first: PostgreSQL's own, before what somebody else called so
    ('search_path', pg_catalog.array_to_string(ARRAY(
        SELECT entry
        FROM pg_catalog.unnest(pg_catalog.string_to_array(
            pg_catalog.current_setting('search_path'), ',')) WITH ORDINALITY AS path (entry, place)
        WHERE pg_catalog.btrim(entry, ' "') <> 'pg_catalog' ORDER BY place), ',')),
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
    -- a session waits for a provider, and a first load takes as long as it takes; what a role, a
    -- database or a server says of these two is meant for people
    ('idle_session_timeout', '0'),
    ('transaction_timeout', '0'),
    -- a client whose network is gone holds its lock until the server notices: not for two hours
    ('tcp_keepalives_idle', '20'),
    ('tcp_keepalives_interval', '10'),
    ('tcp_keepalives_count', '3'),
    ('tcp_user_timeout', '60s'),
    ('default_transaction_read_only', %(read_only)s)
) AS setting (name, value)
-- PostgreSQL 17 has one more than 16
WHERE pg_catalog.current_setting(name, true) IS NOT NULL
