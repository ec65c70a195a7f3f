-- What a series as published by one time and as published by another differ in, the last of it by ts,
-- and which publication that is, as far as it was recorded by a third.
SELECT ts, before, after, published_at, known_at FROM (
    SELECT ts, before, after, published_at, known_at FROM (
        SELECT ts, (array_agg(value ORDER BY published_at DESC, recorded_at DESC)
                    FILTER (WHERE published_at <= %(first)s))[1] AS before,
               (array_agg(value ORDER BY published_at DESC, recorded_at DESC))[1] AS after,
               max(published_at) AS published_at,
               (array_agg(recorded_at ORDER BY published_at DESC, recorded_at DESC))[1] AS known_at
        FROM time_series_vintage
        WHERE series_id = %(series)s AND published_at <= %(second)s
          AND recorded_at <= coalesce(%(recorded)s, 'infinity'::timestamptz)
          AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
          AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
        GROUP BY ts
        ORDER BY ts DESC
    ) AS observation
    WHERE before IS DISTINCT FROM after
    LIMIT %(limit)s
) AS newest
ORDER BY ts
