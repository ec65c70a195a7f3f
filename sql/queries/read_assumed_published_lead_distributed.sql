-- For each ts of a series the value published so long before it. An observation of which the provider does not
-- say when, counts as published when it was known, or when values of it usually are if it was back-filled.
WITH published AS MATERIALIZED (
    SELECT DISTINCT d.ts FROM time_series_vintage AS d
    WHERE d.series_id = (SELECT series_id FROM time_series WHERE endpoint_prefix = %(name)s::text)
      AND d.ts >= coalesce(%(start)s, '-infinity'::timestamptz)
      AND d.ts < coalesce(%(end)s, 'infinity'::timestamptz)
      AND d.recorded_at <= coalesce(%(recorded_by)s, 'infinity'::timestamptz)
)
SELECT ts, value, published_at AS since, recorded_at AS until,
       coalesce(%(recorded_by)s::timestamptz <= %(known_through)s::timestamptz, false) AS final,
       false AS assumed
FROM time_series_published_lead(ARRAY[%(name)s::text], %(lead)s::interval,
    coalesce(%(recorded_by)s, 'infinity'::timestamptz), %(start)s, %(end)s)
UNION ALL
SELECT v.ts, v.value, NULL, v.valid_from, false, true
FROM time_series_assumed_versions(ARRAY[%(name)s::text], %(start)s, %(end)s) AS v
LEFT JOIN published AS p ON p.ts = v.ts
WHERE p.ts IS NULL AND v.valid_from <= coalesce(%(recorded_by)s, 'infinity'::timestamptz)
  AND v.known_from <= v.ts - %(lead)s::interval
  AND (v.valid_to IS NULL OR v.valid_to > v.ts - %(lead)s::interval)
ORDER BY ts
