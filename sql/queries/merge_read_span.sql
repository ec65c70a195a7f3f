-- The same of a batch that is one window: half the time for a process that has just begun.
SELECT 1, array_agg(ts), array_agg(value)
FROM (
    SELECT ts, value FROM time_series_data
    WHERE series_id = %(series)s AND ts BETWEEN %(low)s AND %(high)s
    ORDER BY ts LIMIT %(limit)s
) AS o
