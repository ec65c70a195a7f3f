-- Records until when a run does without its lock, so that nobody takes it for killed meanwhile.
UPDATE fetch_run SET unlocked_until = clock_timestamp() + %(seconds)s * interval '1 second'
WHERE run_id = %(run)s
