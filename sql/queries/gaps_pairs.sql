-- Observations of a series that follow each other at a distance at which one may be missing between:
-- the distance of the length of interval that holds from the first of both on.
SELECT ts, following FROM (
    SELECT d.ts, lead(d.ts) OVER (ORDER BY d.ts) AS following
    FROM time_series_data AS d
    WHERE d.series_id = %(series)s
      AND d.ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND d.ts < coalesce(%(end)s, 'infinity'::timestamptz)
) AS pair
WHERE following - ts >= (%(distances)s::interval[])[
    greatest(1, width_bucket(ts, %(from)s::timestamptz[]))]
ORDER BY ts
