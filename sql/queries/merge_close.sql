-- Revisions and retractions: the open version ends at K.
UPDATE time_series_data_scd2 AS v
SET valid_to = %(known)s
FROM unnest(%(series)s::integer[], %(ts)s::timestamptz[]) AS b (series_id, ts)
WHERE v.series_id = b.series_id AND v.ts = b.ts AND v.valid_to = 'infinity'
  AND v.ts BETWEEN %(low)s AND %(high)s
