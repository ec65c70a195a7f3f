-- The same by the times of publication, as far as they were recorded by a time.
SELECT bucket, count(*) FILTER (WHERE difference IS NOT NULL) AS count,
       avg(difference) AS bias, avg(abs(difference)) AS mean, max(abs(difference)) AS largest,
       count(*) FILTER (WHERE difference IS NULL) AS withdrawals
FROM (
    SELECT (r.age > (%(ages)s::interval[])[1])::integer + (r.age > (%(ages)s::interval[])[2])::integer
           + (r.age > (%(ages)s::interval[])[3])::integer + (r.age > (%(ages)s::interval[])[4])::integer
           + (r.age > (%(ages)s::interval[])[5])::integer + (r.age > (%(ages)s::interval[])[6])::integer
               AS bucket, r.new_value - r.old_value AS difference
    FROM time_series_published_revisions(
        %(names)s, coalesce(%(recorded)s, 'infinity'::timestamptz), %(start)s, %(end)s) AS r
) AS revision
GROUP BY bucket
ORDER BY bucket
