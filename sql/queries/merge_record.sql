-- Adds what a slice brought to its run, in the transaction that wrote it. One that brought nothing,
-- whose loss in a crash of the server would change nothing, does not wait for the disk: it is there
-- for certain with the next one that does.
UPDATE fetch_run SET
    received = received + %(received)s, inserted = inserted + %(inserted)s,
    revised = revised + %(revised)s, retracted = retracted + %(retracted)s,
    unchanged = unchanged + %(unchanged)s, duplicates = duplicates + %(duplicates)s,
    rejected = rejected + %(rejected)s, outside = outside + %(outside)s,
    withheld = withheld + %(withheld)s, nulls = nulls + %(nulls)s,
    vintages = vintages + %(vintages)s, withdrawn = withdrawn + %(withdrawn)s,
    done_until = coalesce(%(done_until)s, done_until),
    -- it is back
    unlocked_until = NULL
WHERE run_id = %(run)s
RETURNING CASE WHEN %(soon)s THEN set_config('synchronous_commit', 'off', true) END
