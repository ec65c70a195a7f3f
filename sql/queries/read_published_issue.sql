-- All that was published of a series at one time, as far as it was recorded by another.
SELECT ts, value, published_at AS since, recorded_at AS until,
       coalesce(%(recorded_by)s::timestamptz <= %(known_through)s::timestamptz, false) AS final
FROM time_series_published_issue(ARRAY[%(name)s::text], %(at)s::timestamptz,
    coalesce(%(recorded_by)s, 'infinity'::timestamptz))
WHERE ts >= coalesce(%(start)s, '-infinity'::timestamptz)
  AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
