-- Ends open versions at K in hypertables: of revisions and retractions of series at the same times.
UPDATE time_series_data_scd2
SET valid_to = %(known)s
WHERE series_id = ANY (%(series)s::integer[]) AND ts = ANY (%(ts)s::timestamptz[])
  AND valid_to = 'infinity' AND ts BETWEEN %(low)s AND %(high)s
