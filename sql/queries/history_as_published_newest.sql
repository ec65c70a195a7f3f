-- The last observations of a series as its provider had published it by a time. Grouped, as the
-- planner would sort the whole series for DISTINCT ON.
SELECT ts, value, published_at, recorded_at FROM (
    SELECT ts, value, published_at, recorded_at FROM (
        SELECT ts, (array_agg(value ORDER BY published_at DESC, recorded_at DESC))[1] AS value,
               max(published_at) AS published_at,
               (array_agg(recorded_at ORDER BY published_at DESC, recorded_at DESC))[1]
                   AS recorded_at
        FROM time_series_vintage
        WHERE series_id = %(series)s AND published_at <= %(at)s
          AND recorded_at <= coalesce(%(recorded)s, 'infinity'::timestamptz)
          AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
          AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
        GROUP BY ts
        ORDER BY ts DESC
    ) AS publication
    WHERE value IS NOT NULL
    LIMIT %(limit)s
) AS newest
ORDER BY ts
