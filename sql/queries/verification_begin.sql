-- Records that a verification begins, and gives its number.
INSERT INTO verification (since, sample, checks, version)
VALUES (%(since)s, %(sample)s, %(checks)s, %(version)s)
RETURNING verification_id
