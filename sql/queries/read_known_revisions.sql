-- Every change to what had been known of a series before, by ts, oldest first.
SELECT series, ts, old_value, new_value, changed_at, age
FROM time_series_known_revisions(ARRAY[%(name)s::text], %(start)s, %(end)s)
ORDER BY ts, changed_at
