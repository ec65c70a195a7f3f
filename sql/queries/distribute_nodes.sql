-- The servers of a cluster, the one that plans first.
SELECT nodename AS host, nodeport AS port, groupid = 0 AS is_coordinator,
       shouldhaveshards AS has_shards, isactive AS is_active
FROM pg_dist_node
ORDER BY groupid, nodename, nodeport
