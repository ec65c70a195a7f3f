-- Of series at each of many times what was published at its time of decision, in their order. An observation of
-- which the provider does not say when, counts as published when it was known, or when values of it usually
-- are if it was back-filled.
WITH published AS MATERIALIZED (
    SELECT DISTINCT d.series_id, d.ts FROM time_series_vintage AS d
    WHERE d.series_id = ANY (ARRAY(
            SELECT series_id FROM time_series WHERE endpoint_prefix = ANY (%(names)s::text[])))
      AND d.ts = ANY (%(ts)s::timestamptz[])
      AND d.recorded_at <= coalesce(%(recorded_by)s, 'infinity'::timestamptz)
), assumed AS MATERIALIZED (
    SELECT a.series, a.series_id, a.ts, a.value, a.valid_from, a.valid_to, a.known_from
    FROM time_series_assumed_versions(%(names)s::text[],
        (SELECT min(t) FROM unnest(%(ts)s::timestamptz[]) AS t (t)),
        (SELECT max(t) + interval '1 microsecond' FROM unnest(%(ts)s::timestamptz[]) AS t (t))) AS a
    WHERE a.ts = ANY (%(ts)s::timestamptz[])
      AND a.valid_from <= coalesce(%(recorded_by)s, 'infinity'::timestamptz)
), asked AS MATERIALIZED (
    SELECT p.number, p.series, p.ts, p.decided_at, p.value, p.published_at, p.recorded_at
    FROM time_series_published_at(%(names)s::text[], %(ts)s::timestamptz[],
        %(decided_at)s::timestamptz[], coalesce(%(recorded_by)s, 'infinity'::timestamptz)) AS p
), answer AS (
    SELECT DISTINCT ON (p.number, p.series) p.number, p.series, a.value, a.valid_from
    FROM asked AS p
    JOIN assumed AS a ON a.series = p.series AND a.ts = p.ts
    LEFT JOIN published AS o ON o.series_id = a.series_id AND o.ts = p.ts
    WHERE p.published_at IS NULL AND o.ts IS NULL AND a.known_from <= p.decided_at
      AND (a.valid_to IS NULL OR a.valid_to > p.decided_at)
    ORDER BY p.number, p.series
)
SELECT p.number, p.series, p.ts, p.decided_at,
       CASE WHEN p.published_at IS NULL THEN v.value ELSE p.value END AS value,
       p.published_at AS since, coalesce(p.recorded_at, v.valid_from) AS recorded_at,
       v.valid_from IS NOT NULL AS assumed
FROM asked AS p
LEFT JOIN answer AS v ON v.number = p.number AND v.series = p.series
ORDER BY p.number, array_position(%(names)s::text[], p.series)
