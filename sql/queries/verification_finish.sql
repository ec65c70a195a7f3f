-- Records the end of a verification. Of those that were broken off before, nothing is left to go on
-- with.
WITH old AS (
    UPDATE verification SET progress = NULL
    WHERE verification_id < %(verification)s AND progress IS NOT NULL
)
UPDATE verification SET found = %(found)s, progress = NULL, finished_at = clock_timestamp()
WHERE verification_id = %(verification)s
