-- Where the time of a series is cut to have so many pieces, as texts: Python has not every time.
SELECT (e.first_ts + (e.last_ts - e.first_ts) * (n::double precision / %(pieces)s))::text
FROM (
    SELECT min(ts) AS first_ts, max(ts) AS last_ts
    FROM time_series_data_scd2
    WHERE series_id = %(series)s AND ts > '-infinity' AND ts < 'infinity'
) AS e
CROSS JOIN generate_series(1, %(pieces)s - 1) AS n
WHERE e.first_ts < e.last_ts
ORDER BY n
