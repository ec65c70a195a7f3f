-- Records how far a verification has come.
UPDATE verification SET found = %(found)s, progress = %(progress)s
WHERE verification_id = %(verification)s
