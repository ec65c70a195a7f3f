-- What runs changed on each day of a zone, by source; days without a change are left out.
SELECT source, (started_at AT TIME ZONE %(zone)s)::date AS day,
       sum(inserted)::bigint AS inserted, sum(revised)::bigint AS revised,
       sum(retracted)::bigint AS retracted
FROM fetch_run
WHERE started_at >= %(since)s AND (inserted > 0 OR revised > 0 OR retracted > 0)
GROUP BY 1, 2
ORDER BY 1, 2
