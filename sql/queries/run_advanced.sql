-- Records of which series a run that just ended brought a newer ts than all before. Only a scheduled
-- one that ended well shows that they go on: half a history is followed by its other half.
UPDATE time_series AS s SET
    advanced_at = clock_timestamp(),
    advances = CASE WHEN run.kind = 'scheduled' AND run.outcome IN ('succeeded', 'partial')
                    THEN least(s.advances + 1, 2) ELSE s.advances END
FROM fetch_run AS run
WHERE run.run_id = %(run)s AND s.source = run.source AND s.endpoint_prefix = ANY (%(names)s)
