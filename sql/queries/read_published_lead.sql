-- For each ts of a series the value published so long before it, as far as it was recorded by another.
SELECT ts, value, published_at AS since, recorded_at AS until,
       coalesce(%(recorded_by)s::timestamptz <= %(known_through)s::timestamptz, false) AS final
FROM time_series_published_lead(ARRAY[%(name)s::text], %(lead)s::interval,
    coalesce(%(recorded_by)s, 'infinity'::timestamptz), %(start)s, %(end)s)
