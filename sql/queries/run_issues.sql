-- Records what a run answered of forecasts, as of the time up to which its end has just made all final:
-- the first and last ts of each series, also where every value stayed as it was. A series is a
-- forecast if it was answered beyond the time, or was before. What a server called unchanged is not
-- in the answer: it reaches as far as it did the last time.
WITH issue AS (
    INSERT INTO time_series_issue (issued_at, first_ts, last_ts, run_id, series_id, points)
    SELECT st.known_through, i.first_ts, i.last_ts, run.run_id, s.series_id, i.points
    FROM fetch_run AS run
    JOIN source_state AS st ON st.source = run.source
    JOIN time_series AS s ON s.source = run.source
    JOIN unnest(%(names)s::text[], %(first)s::timestamptz[], %(last)s::timestamptz[],
        %(points)s::integer[], %(unchanged)s::boolean[])
        AS a (name, first_ts, last_ts, points, is_unchanged) ON a.name = s.endpoint_prefix
    LEFT JOIN LATERAL (
        SELECT p.first_ts, p.last_ts, p.points FROM time_series_issue AS p
        WHERE p.series_id = s.series_id ORDER BY p.issued_at DESC LIMIT 1
    ) AS p ON true
    CROSS JOIN LATERAL (SELECT
        CASE WHEN a.is_unchanged THEN least(a.first_ts, p.first_ts) ELSE a.first_ts END AS first_ts,
        CASE WHEN a.is_unchanged THEN greatest(a.last_ts, p.last_ts) ELSE a.last_ts END AS last_ts,
        CASE WHEN a.is_unchanged THEN greatest(a.points, p.points) ELSE a.points END AS points
    ) AS i
    WHERE run.run_id = %(run)s AND i.last_ts IS NOT NULL
      AND (i.last_ts > run.started_at OR (run.kind = 'scheduled' AND p.last_ts IS NOT NULL))
      -- not where the lock was lost: then nothing was made final
      AND st.known_through >= run.started_at
      AND st.known_through >= coalesce(st.last_knowledge_time, '-infinity')
    -- a clock that was set back, and a run that changed nothing: what it answered is that issue
    ON CONFLICT (series_id, issued_at) DO NOTHING
    RETURNING series_id
)
UPDATE fetch_run SET issues = issues + (SELECT count(*) FROM issue) WHERE run_id = %(run)s
