-- The servers of a cluster, the one that plans first, and which of them have a part of the tables.
SELECT n.nodename AS host, n.nodeport AS port, n.groupid = 0 AS is_coordinator,
       EXISTS (
           SELECT FROM pg_dist_shard AS s JOIN pg_dist_placement AS p ON p.shardid = s.shardid
           WHERE s.logicalrelid = 'time_series_data'::regclass AND p.groupid = n.groupid
       ) AS has_shards,
       n.isactive AS is_active
FROM pg_dist_node AS n
ORDER BY n.groupid, n.nodename, n.nodeport
