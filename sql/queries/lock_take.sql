-- Takes the advisory lock of a source if nobody holds it, and puts a mark of its own beside it.
SELECT pg_try_advisory_lock(%(key)s), set_config('dataportal.lock_mark', %(mark)s, false)
