-- The releases of one number of a series; NULL where that one withdrew the value, as far as it was recorded by another.
SELECT ts, value, published_at AS since, recorded_at AS until,
       coalesce(%(recorded_by)s::timestamptz <= %(known_through)s::timestamptz, false) AS final
FROM time_series_published_release(ARRAY[%(name)s::text], %(number)s,
    coalesce(%(recorded_by)s, 'infinity'::timestamptz), %(start)s, %(end)s)
