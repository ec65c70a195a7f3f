-- Records that all sources of a backfill have reached its end.
UPDATE backfill SET finished_at = clock_timestamp() WHERE backfill_id = %(backfill)s
