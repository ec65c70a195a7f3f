-- Runs that did not write what is recorded of them, and versions and publications of no run. Of the
-- observations since a time alone, a run may well have fewer.
WITH stored AS (
    SELECT run_id, sum(versions) AS versions, sum(vintages) AS vintages
    FROM (
        SELECT run_id, count(*) AS versions, 0 AS vintages FROM time_series_data_scd2
        WHERE ts >= coalesce(%(since)s, '-infinity'::timestamptz) GROUP BY run_id
        UNION ALL
        SELECT run_id, 0, count(*) FROM time_series_vintage
        WHERE ts >= coalesce(%(since)s, '-infinity'::timestamptz) GROUP BY run_id
    ) AS tables
    GROUP BY run_id
)
SELECT run_id, f.fault
FROM stored
FULL JOIN fetch_run AS r USING (run_id)
CROSS JOIN LATERAL (
    SELECT coalesce(stored.versions, 0) - (r.inserted + r.revised) AS versions,
           coalesce(stored.vintages, 0) - r.vintages AS vintages
) AS more
CROSS JOIN LATERAL (VALUES
    (CASE WHEN r.source IS NULL THEN 'no_run' END),
    (CASE WHEN more.versions > 0 THEN 'versions_too_many' END),
    (CASE WHEN more.versions < 0 AND %(since)s::timestamptz IS NULL THEN 'versions_missing' END),
    (CASE WHEN more.vintages > 0 THEN 'vintages_too_many' END),
    (CASE WHEN more.vintages < 0 AND %(since)s::timestamptz IS NULL THEN 'vintages_missing' END),
    (CASE WHEN r.received <> r.inserted + r.revised + r.retracted + r.unchanged + r.duplicates
                             + r.rejected + r.outside + r.withheld + r.nulls
          THEN 'counts_do_not_add_up' END)
) AS f (fault)
WHERE f.fault IS NOT NULL
ORDER BY run_id
