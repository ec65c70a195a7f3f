-- A series as its provider had published it at a time, as far as it was recorded by another.
SELECT ts, value, published_at AS since, recorded_at AS until,
       coalesce(%(recorded_by)s::timestamptz <= %(known_through)s::timestamptz, false) AS final
FROM time_series_published_as_of(ARRAY[%(name)s::text], coalesce(%(at)s, 'infinity'::timestamptz),
    coalesce(%(recorded_by)s, 'infinity'::timestamptz), %(start)s, %(end)s)
