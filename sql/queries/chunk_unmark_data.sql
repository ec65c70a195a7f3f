-- Takes the rows away that opened chunks; no series has this number.
DELETE FROM time_series_data
WHERE series_id = 0 AND ts = ANY (%(ts)s::timestamptz[]) AND ts BETWEEN %(low)s AND %(high)s
