-- Records what a backfill of several sources is to fetch.
INSERT INTO backfill (window_start, window_end, sources)
VALUES (%(start)s, %(end)s, %(sources)s)
RETURNING backfill_id
