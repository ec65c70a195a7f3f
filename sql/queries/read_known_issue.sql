-- What one run of a forecast answered of a series.
SELECT ts, value, valid_from AS since, valid_to AS until,
       coalesce(%(at)s::timestamptz <= %(known_through)s::timestamptz, false) AS final
FROM time_series_known_issue(ARRAY[%(name)s::text], %(at)s::timestamptz)
WHERE ts >= coalesce(%(start)s, '-infinity'::timestamptz)
  AND ts < coalesce(%(end)s, 'infinity'::timestamptz)
