-- Who holds the advisory lock of a source: the server's view of it, and the run it has recorded.
SELECT a.application_name, host(a.client_addr) AS client, r.host, r.pid, r.started_at, r.kind
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN LATERAL (
    SELECT f.host, f.pid, f.started_at, f.kind FROM fetch_run f
    WHERE f.source = %(source)s AND f.outcome IS NULL AND f.started_at >= a.backend_start
    ORDER BY f.run_id DESC LIMIT 1
) r ON true
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND ((l.classid::bigint << 32) | l.objid::bigint) = %(key)s
