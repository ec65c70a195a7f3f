-- What a series known at one time and the same series known at another differ in.
SELECT coalesce(b.ts, a.ts), a.value, b.value, coalesce(b.valid_from, a.valid_to)
FROM (
    SELECT * FROM time_series_data_as_of(%(first)s)
    WHERE series_id = %(series)s
      AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
) AS a
FULL JOIN (
    SELECT * FROM time_series_data_as_of(%(second)s)
    WHERE series_id = %(series)s
      AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
) AS b ON b.ts = a.ts
WHERE a.value IS DISTINCT FROM b.value
ORDER BY 1
