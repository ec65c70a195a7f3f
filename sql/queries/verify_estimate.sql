-- About how many versions a range holds, as the planner takes it from its statistics.
EXPLAIN (FORMAT JSON)
SELECT FROM time_series_data_scd2
WHERE (%(first)s::integer IS NULL OR series_id >= %(first)s::integer)
  AND (%(last)s::integer IS NULL OR series_id <= %(last)s::integer)
  AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
  AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s::timestamptz)
  AND (%(low)s::timestamptz IS NULL OR ts >= %(low)s::timestamptz)
  AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
