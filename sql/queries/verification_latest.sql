-- The newest verifications that came to their end: of everything, and of any scope.
SELECT DISTINCT ON (is_whole) finished_at, since, sample, checks, found,
       since IS NULL AND sample IS NULL AND cardinality(checks) = %(checks)s AS is_whole
FROM verification
WHERE finished_at IS NOT NULL
ORDER BY is_whole, finished_at DESC
