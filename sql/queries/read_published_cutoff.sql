-- For each ts of a series the value published by a time of day so many local days before, as far as it was recorded by another.
SELECT ts, value, published_at AS since, recorded_at AS until,
       coalesce(%(recorded_by)s::timestamptz <= %(known_through)s::timestamptz, false) AS final
FROM time_series_published_cutoff(ARRAY[%(name)s::text], %(days)s, %(clock)s::time, %(zone)s,
    coalesce(%(recorded_by)s, 'infinity'::timestamptz), %(start)s, %(end)s)
