-- Takes the advisory lock of a source if nobody holds it, and puts a mark of its own beside it; the
-- database's clock, and when its server started.
SELECT pg_try_advisory_lock(%(key)s) AS is_granted,
       set_config('dataportal.lock_mark', %(mark)s, false) AS mark, clock_timestamp() AS clock,
       pg_postmaster_start_time() AS server_started_at
