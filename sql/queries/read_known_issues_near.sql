-- The last run of a forecast before a time, and the first one from then on.
SELECT (SELECT max(issued_at) FROM time_series_issue
        WHERE series_id = %(series)s AND issued_at < %(at)s) AS before,
       (SELECT min(issued_at) FROM time_series_issue
        WHERE series_id = %(series)s AND issued_at >= %(at)s) AS after
