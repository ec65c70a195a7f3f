-- Revises current values of series at the same times, in tables that lie on several machines. Each
-- of those has its part of the join.
UPDATE time_series_data AS d
SET value = n.value, updated_at = %(known)s, run_id = %(run)s
FROM (
    SELECT s.series_id, t.ts, v.value
    FROM unnest(%(series)s::integer[]) WITH ORDINALITY AS s (series_id, number)
    CROSS JOIN unnest(%(ts)s::timestamptz[]) WITH ORDINALITY AS t (ts, number)
    JOIN unnest(%(value)s::double precision[]) WITH ORDINALITY AS v (value, number)
      ON v.number = (s.number - 1) * %(size)s + t.number
) AS n
WHERE d.series_id = n.series_id AND d.ts = n.ts
  -- only the machines that have them are asked
  AND d.series_id = ANY (%(series)s::integer[])
