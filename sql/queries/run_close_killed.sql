-- Ends what earlier runs of the source left without an end, as of the beginning of the next one: they
-- were killed, as nobody else holds the lock, unless they said that they would be back.
UPDATE fetch_run AS killed SET finished_at = next.started_at, outcome = 'interrupted',
    error = 'the program was killed, or its machine went down'
FROM fetch_run AS next
WHERE next.run_id = %(run)s AND killed.source = next.source AND killed.run_id <> next.run_id
  AND killed.finished_at IS NULL
  AND (killed.unlocked_until IS NULL OR killed.unlocked_until < clock_timestamp())
