-- Takes the rows away that opened chunks, which nobody has seen: no version is among them, as no
-- series has this number.
DELETE FROM time_series_data_scd2
WHERE series_id = 0 AND ts = ANY (%(ts)s::timestamptz[]) AND ts BETWEEN %(low)s AND %(high)s
