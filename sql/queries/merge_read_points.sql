-- What is stored at these times of a series, where far more is stored between them.
SELECT ts, value
FROM time_series_data
WHERE series_id = %(series)s AND ts = ANY (%(ts)s::timestamptz[])
  AND ts BETWEEN %(low)s AND %(high)s
