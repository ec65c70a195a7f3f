-- When anything of a series was published for the first time, NULL for never; no row if something
-- was by a time: all publications are looked at only then.
SELECT min(published_at) AS until FROM time_series_vintage
WHERE series_id = %(series)s
HAVING NOT EXISTS (
    SELECT FROM time_series_vintage WHERE series_id = %(series)s AND published_at <= %(at)s
)
