-- Series of a range of observations that have to be looked at row by row: whose current values are not
-- the open versions, by their number and a hash of all of them; and which have a version that ends
-- before it begins, is known later than the last that the source knew, or is of no series. The hash of
-- a set is the exclusive or of those of its rows: it needs neither order nor room.
WITH current AS (
    SELECT series_id, count(*) AS stored,
           bit_xor(hash_record_extended((series_id, ts, value, updated_at, run_id), 0)) AS hash
    FROM time_series_data
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
    GROUP BY series_id
), versions AS (
    SELECT series_id, count(*) FILTER (WHERE valid_to = 'infinity') AS stored,
           bit_xor(hash_record_extended((series_id, ts, value, valid_from, run_id), 0))
               FILTER (WHERE valid_to = 'infinity') AS hash,
           bool_or(valid_from >= valid_to) AS is_reversed,
           max(valid_from) AS last_from,
           max(valid_to) FILTER (WHERE valid_to < 'infinity') AS last_to
    FROM time_series_data_scd2
    WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
      AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
      AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
      AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
      AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
      AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
    GROUP BY series_id
)
SELECT series_id, f.differs
FROM versions AS v
FULL JOIN current AS c USING (series_id)
LEFT JOIN (
    SELECT s.series_id, coalesce(st.last_knowledge_time, '-infinity') AS last_known
    FROM time_series AS s LEFT JOIN source_state AS st ON st.source = s.source
) AS s USING (series_id)
CROSS JOIN LATERAL (
    SELECT coalesce(v.stored, 0) <> coalesce(c.stored, 0)
           OR v.hash IS DISTINCT FROM c.hash AS differs
) AS f
WHERE f.differs OR s.last_known IS NULL OR v.is_reversed OR v.last_from > s.last_known
   OR v.last_to > s.last_known
