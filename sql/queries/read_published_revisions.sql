-- Every change to what had been published of a series before, as far as it was recorded by a time.
SELECT series, ts, old_value, new_value, changed_at, age
FROM time_series_published_revisions(ARRAY[%(name)s::text],
    coalesce(%(recorded_by)s, 'infinity'::timestamptz), %(start)s, %(end)s)
ORDER BY ts, changed_at
