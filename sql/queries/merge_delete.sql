-- Retractions of one series: the current values go, their versions stay.
DELETE FROM time_series_data
WHERE series_id = %(series)s AND ts = ANY (%(ts)s::timestamptz[])
  AND ts BETWEEN %(low)s AND %(high)s
