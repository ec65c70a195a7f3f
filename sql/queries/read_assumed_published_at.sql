-- Of series at each of many times what was published at its time of decision, in their order. An observation of
-- which the provider does not say when, counts as published when it was known, or when values of it usually
-- are if it was back-filled.
SELECT p.number, p.series, p.ts, p.decided_at,
       CASE WHEN p.published_at IS NULL THEN v.value ELSE p.value END AS value,
       p.published_at AS since, coalesce(p.recorded_at, v.valid_from) AS recorded_at,
       v.valid_from IS NOT NULL AS assumed
FROM time_series_published_at(%(names)s::text[], %(ts)s::timestamptz[],
    %(decided_at)s::timestamptz[], coalesce(%(recorded_by)s, 'infinity'::timestamptz)) AS p
LEFT JOIN LATERAL (
    SELECT a.value, a.valid_from
    FROM time_series_assumed_versions(
        ARRAY[p.series], p.ts, p.ts + interval '1 microsecond') AS a
    LEFT JOIN LATERAL (
        SELECT true AS is_there FROM time_series_vintage AS d
        WHERE d.series_id = a.series_id AND d.ts BETWEEN p.ts AND p.ts
          AND d.recorded_at <= coalesce(%(recorded_by)s, 'infinity'::timestamptz)
        LIMIT 1
    ) AS o ON true
    WHERE p.published_at IS NULL AND o.is_there IS NULL
      AND a.valid_from <= coalesce(%(recorded_by)s, 'infinity'::timestamptz)
      AND a.known_from <= p.decided_at
      AND (a.valid_to IS NULL OR a.valid_to > p.decided_at)
    LIMIT 1
) AS v ON true
ORDER BY p.number, array_position(%(names)s::text[], p.series)
