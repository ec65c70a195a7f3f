-- What a slice brought, added to its run, and K to its source, in the transaction that wrote it.
WITH knowledge AS (
    UPDATE source_state SET last_knowledge_time = %(known)s
    WHERE source = %(source)s AND %(known)s::timestamptz IS NOT NULL
)
UPDATE fetch_run SET
    received = received + %(received)s, inserted = inserted + %(inserted)s,
    revised = revised + %(revised)s, retracted = retracted + %(retracted)s,
    unchanged = unchanged + %(unchanged)s, duplicates = duplicates + %(duplicates)s,
    rejected = rejected + %(rejected)s, outside = outside + %(outside)s,
    withheld = withheld + %(withheld)s, nulls = nulls + %(nulls)s,
    vintages = vintages + %(vintages)s,
    done_until = coalesce(%(done_until)s, done_until)
WHERE run_id = %(run)s
