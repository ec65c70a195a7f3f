-- Deletes the current values of retractions of series at the same times, in hypertables; their
-- versions stay.
DELETE FROM time_series_data
WHERE series_id = ANY (%(series)s::integer[]) AND ts = ANY (%(ts)s::timestamptz[])
  AND ts BETWEEN %(low)s AND %(high)s
