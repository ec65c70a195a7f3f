-- How much a part of a series was revised, by the age of its values then: the time from their ts to the
-- change. Ages up to each of some limits, the last ones above all of them. Withdrawals and returns have
-- no difference, and are counted apart.
SELECT bucket, count(*) FILTER (WHERE difference IS NOT NULL) AS count,
       avg(difference) AS bias, avg(abs(difference)) AS mean, max(abs(difference)) AS largest,
       count(*) FILTER (WHERE difference IS NULL) AS withdrawals
FROM (
    SELECT (r.age > (%(ages)s::interval[])[1])::integer + (r.age > (%(ages)s::interval[])[2])::integer
           + (r.age > (%(ages)s::interval[])[3])::integer + (r.age > (%(ages)s::interval[])[4])::integer
           + (r.age > (%(ages)s::interval[])[5])::integer + (r.age > (%(ages)s::interval[])[6])::integer
               AS bucket, r.new_value - r.old_value AS difference
    FROM time_series_known_revisions(%(names)s, %(start)s, %(end)s) AS r
) AS revision
GROUP BY bucket
ORDER BY bucket
