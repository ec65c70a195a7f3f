-- How much is known about a series, counted up to a limit: a handful of looks at the ends of indexes,
-- and no more rows than that.
SELECT (SELECT count(*) FROM (
            SELECT FROM time_series_data WHERE series_id = %(series)s ORDER BY ts LIMIT %(limit)s
        ) AS d) AS observations,
       (SELECT count(*) FROM (
            SELECT FROM time_series_data_scd2 WHERE series_id = %(series)s ORDER BY ts
            LIMIT %(limit)s
        ) AS v) AS versions,
       (SELECT count(*) FROM (
            SELECT FROM time_series_vintage WHERE series_id = %(series)s ORDER BY published_at
            LIMIT %(limit)s
        ) AS p) AS publications,
       (SELECT ts FROM time_series_data WHERE series_id = %(series)s
        ORDER BY ts LIMIT 1) AS first_ts,
       (SELECT ts FROM time_series_data WHERE series_id = %(series)s
        ORDER BY ts DESC LIMIT 1) AS last_ts,
       (SELECT published_at FROM time_series_vintage WHERE series_id = %(series)s
        ORDER BY published_at LIMIT 1) AS first_published,
       (SELECT published_at FROM time_series_vintage WHERE series_id = %(series)s
        ORDER BY published_at DESC LIMIT 1) AS last_published
