-- The newest verification that did not come to its end, if none has been finished since; one that an older
-- program began, and that kept of it something else, is left alone.
SELECT verification_id, started_at, since, sample, checks, progress
FROM verification AS v
WHERE finished_at IS NULL AND progress IS NOT NULL AND jsonb_exists(progress, 'settled')
  AND NOT EXISTS (SELECT FROM verification AS f WHERE f.finished_at > v.started_at)
ORDER BY verification_id DESC LIMIT 1
