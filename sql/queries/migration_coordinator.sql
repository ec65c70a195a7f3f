-- The server that plans, for one that only keeps data; no row where this one plans.
SELECT n.nodename || ':' || n.nodeport
FROM pg_dist_local_group AS l
LEFT JOIN pg_dist_node AS n ON n.groupid = 0
WHERE l.groupid <> 0
