-- A row if this server process holds the advisory lock: asked in the transaction that writes. Of the
-- function below pg_locks, as a process that has just begun takes its time over a view. The mark tells
-- two clients apart whom a pooler gave the same server process: there each of them gets each lock.
SELECT pid FROM pg_lock_status()
WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() AND objsubid = 1
  AND classid = %(high)s::oid AND objid = %(low)s::oid
  AND current_setting('dataportal.lock_mark', true) = %(mark)s
