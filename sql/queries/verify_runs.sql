-- Runs to be judged, with what is recorded of each and how many issues there are of it: all, or
-- those not settled and those that are at fault by themselves; and issues of no run.
SELECT coalesce(r.run_id, i.run_id) AS run_id, r.run_id IS NOT NULL AS is_recorded,
       r.inserted + r.revised AS versions, r.vintages, r.issues, coalesce(i.stored, 0) AS stored_issues,
       f.adds_up, f.has_ended,
       coalesce(r.finished_at < %(began)s, false)
           AND r.started_at < %(began)s::timestamptz - INTERVAL '1 day' AS is_settled
FROM fetch_run AS r
FULL JOIN (
    SELECT run_id, count(*) AS stored FROM time_series_issue GROUP BY run_id
) AS i ON i.run_id = r.run_id
CROSS JOIN LATERAL (
    SELECT r.received = r.inserted + r.revised + r.retracted + r.unchanged + r.duplicates + r.rejected
                        + r.outside + r.withheld + r.nulls
           AND least(r.inserted, r.revised, r.retracted, r.unchanged, r.duplicates, r.rejected,
                     r.outside, r.withheld, r.nulls, r.vintages, r.issues) >= 0 AS adds_up,
           (r.finished_at IS NULL) = (r.outcome IS NULL) AS has_ended
) AS f
WHERE %(settled)s::bigint IS NULL OR r.run_id > %(settled)s::bigint
   OR r.run_id = ANY (%(unsettled)s::bigint[])
   OR r.run_id IS NULL OR NOT f.adds_up OR NOT f.has_ended OR r.issues <> coalesce(i.stored, 0)
ORDER BY 1
