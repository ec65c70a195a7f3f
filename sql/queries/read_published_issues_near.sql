-- The last publication of a series before a time, and the first one from then on.
SELECT (SELECT max(published_at) FROM time_series_vintage
        WHERE series_id = %(series)s AND published_at < %(at)s
          AND recorded_at <= coalesce(%(recorded_by)s, 'infinity'::timestamptz)) AS before,
       (SELECT min(published_at) FROM time_series_vintage
        WHERE series_id = %(series)s AND published_at >= %(at)s
          AND recorded_at <= coalesce(%(recorded_by)s, 'infinity'::timestamptz)) AS after
