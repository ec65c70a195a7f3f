-- The same by the times of publication, as far as they were recorded by a time.
SELECT bucket, count(*) FILTER (WHERE difference IS NOT NULL) AS count,
       avg(difference) AS bias, avg(abs(difference)) AS mean, max(abs(difference)) AS largest,
       count(*) FILTER (WHERE difference IS NULL) AS withdrawals
FROM (
    SELECT (SELECT count(*) FROM unnest(%(ages)s::interval[]) AS a (age) WHERE r.age > a.age)
               AS bucket, r.new_value - r.old_value AS difference
    FROM time_series_published_revisions(
        %(names)s, coalesce(%(recorded)s, 'infinity'::timestamptz), %(start)s, %(end)s) AS r
) AS revision
GROUP BY bucket
ORDER BY bucket
