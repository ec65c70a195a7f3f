-- Sets the limits of a session. Plain statements that travel together: one of a dozen calls takes a
-- process that has just begun twice as long.
SET TimeZone = 'UTC';
-- for what is copied out as text
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET extra_float_digits = 1;
-- to compile a statement takes longer than any of ours that reads through an index
SET jit = off;
SET statement_timeout = '15min';
SET lock_timeout = '2min';
SET idle_in_transaction_session_timeout = '2min';
-- a session waits for a provider, and a first load takes as long as it takes; what a role, a database
-- or a server says of this is meant for people
SET idle_session_timeout = 0;
-- a client whose network is gone holds its lock until the server notices: not for two hours
SET tcp_keepalives_idle = 20;
SET tcp_keepalives_interval = 10;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = '60s'
