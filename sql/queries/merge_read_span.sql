-- What is stored in the span of a batch that has but one, as two arrays: half the time of
-- merge_read_spans.sql for a process that has just begun.
SELECT 1, array_agg(ts), array_agg(value)
FROM (
    SELECT ts, value FROM time_series_data
    WHERE series_id = %(series)s AND ts BETWEEN %(low)s AND %(high)s
    ORDER BY ts LIMIT %(limit)s
) AS o
