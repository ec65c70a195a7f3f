-- What is recorded of every run, as far as its rows are to be compared with that.
SELECT run_id, inserted + revised AS versions, vintages, issues,
       received = inserted + revised + retracted + unchanged + duplicates + rejected + outside
                  + withheld + nulls AS adds_up,
       coalesce(finished_at < %(began)s, false)
           AND started_at < %(began)s::timestamptz - INTERVAL '1 day' AS is_settled
FROM fetch_run
ORDER BY run_id
