-- The same, of the last observations that differ.
SELECT ts, before, after, known_at FROM (
    SELECT ts, before, after, known_at FROM (
        SELECT ts,
               max(value) FILTER (WHERE valid_from <= %(first)s) AS before,
               max(value) FILTER (WHERE valid_to > %(second)s) AS after,
               coalesce(max(valid_from) FILTER (WHERE valid_to > %(second)s), max(valid_to))
                   AS known_at
        FROM time_series_data_scd2
        WHERE series_id = %(series)s AND valid_to > %(first)s AND valid_from <= %(second)s
          AND ts >= coalesce(%(start)s, '-infinity'::timestamptz)
          AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
        GROUP BY ts
        ORDER BY ts DESC
    ) AS observation
    WHERE before IS DISTINCT FROM after
    LIMIT %(limit)s
) AS newest
ORDER BY ts
