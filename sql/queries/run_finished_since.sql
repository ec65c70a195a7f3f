-- The sources of which a run has ended since a time, well or not; no run takes longer than a day.
SELECT DISTINCT source FROM fetch_run
WHERE started_at >= %(since)s - interval '1 day' AND finished_at >= %(since)s
  AND outcome NOT IN ('interrupted', 'skipped')
