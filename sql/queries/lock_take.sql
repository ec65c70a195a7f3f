-- Takes the advisory lock of a source if nobody holds it, and puts a mark of its own beside it; and the
-- database's clock.
SELECT pg_try_advisory_lock(%(key)s) AS is_granted,
       set_config('dataportal.lock_mark', %(mark)s, false) AS mark, clock_timestamp() AS clock
