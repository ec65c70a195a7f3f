-- What a series known at one time and the same series known at another differ in, and since when
-- that is known: what went, came back and went again, since it went last.
SELECT coalesce(b.ts, a.ts) AS ts, a.value AS before, b.value AS after, coalesce(b.valid_from, (
    SELECT max(v.valid_to) FROM time_series_data_scd2 AS v
    WHERE v.series_id = %(series)s AND v.ts = a.ts AND v.valid_to <= %(second)s
)) AS known_at
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
