-- Records what a restore brought, in the transaction that wrote it. Its source goes on after the last
-- that either database knew, and what was final in the other one is final here. A series advanced
-- when the value of its newest ts was first known, wherever that was. Of a file that does not say when
-- the initial history had been asked for, what came first is that.
WITH state AS (
    UPDATE source_state SET
        last_knowledge_time = greatest(last_knowledge_time, %(known)s),
        known_through = greatest(known_through, %(known_through)s)
    WHERE source = %(source)s
), changed AS (
    UPDATE time_series AS s SET first_known_at = v.first_known, changed_at = v.last_known,
        history_asked_at = CASE WHEN %(asked)s
            THEN coalesce(%(asked_at)s, v.first_known, statement_timestamp())
            ELSE s.history_asked_at END,
        advanced_at = n.first_known
    FROM (
        SELECT min(valid_from) AS first_known,
               max(greatest(valid_from, nullif(valid_to, 'infinity'))) AS last_known
        FROM time_series_data_scd2 WHERE series_id = %(series)s
    ) AS v, (
        SELECT min(valid_from) AS first_known FROM time_series_data_scd2
        WHERE series_id = %(series)s AND ts = (
            SELECT max(ts) FROM time_series_data WHERE series_id = %(series)s
        )
    ) AS n
    WHERE s.series_id = %(series)s
)
UPDATE fetch_run SET
    finished_at = statement_timestamp(), outcome = 'succeeded',
    window_end = %(end)s, done_until = %(end)s,
    received = %(inserted)s::bigint + %(revised)s::bigint + %(retracted)s::bigint,
    inserted = %(inserted)s, revised = %(revised)s, retracted = %(retracted)s,
    vintages = %(vintages)s, issues = %(issues)s
WHERE run_id = %(run)s
