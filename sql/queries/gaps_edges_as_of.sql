-- The ends of a series and of a part of it: the last observation before it, the first and the last one
-- within, as they were known at a time.
SELECT (SELECT d.ts FROM time_series_data_as_of(%(at)s) AS d
        WHERE d.series_id = %(series)s AND d.ts < %(start)s::timestamptz
        ORDER BY d.ts DESC LIMIT 1) AS before,
       (SELECT d.ts FROM time_series_data_as_of(%(at)s) AS d
        WHERE d.series_id = %(series)s
          AND d.ts >= coalesce(%(start)s, '-infinity'::timestamptz)
          AND d.ts < coalesce(%(end)s, 'infinity'::timestamptz)
        ORDER BY d.ts LIMIT 1) AS first,
       (SELECT d.ts FROM time_series_data_as_of(%(at)s) AS d
        WHERE d.series_id = %(series)s
          AND d.ts >= coalesce(%(start)s, '-infinity'::timestamptz)
          AND d.ts < coalesce(%(end)s, 'infinity'::timestamptz)
        ORDER BY d.ts DESC LIMIT 1) AS last
