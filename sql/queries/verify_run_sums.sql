-- What the sums over the runs of all versions and of all publications are to be of settled runs, by
-- what is recorded of these.
SELECT coalesce(sum((inserted + revised) * hashint8(run_id)), 0)::text,
       coalesce(sum(vintages * hashint8(run_id)), 0)::text
FROM fetch_run
WHERE run_id <= %(settled)s::bigint
  AND (%(unsettled)s::bigint[] IS NULL OR run_id <> ALL (%(unsettled)s::bigint[]))
