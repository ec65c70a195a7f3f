-- A fingerprint of what is stored of some series from a time on. What differs when one value does.
SELECT format('%%s-%%s', count(*), coalesce(bit_xor(
    hashfloat8extended(date_part('epoch', ts), hashfloat8extended(value, series_id))), 0))
FROM time_series_data
WHERE series_id = ANY(%(series)s) AND ts >= %(start)s
