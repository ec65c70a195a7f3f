-- About how many versions a range holds, as the planner takes it from its statistics.
EXPLAIN (FORMAT JSON)
SELECT FROM time_series_data_scd2
WHERE series_id BETWEEN %(first)s AND %(last)s
  AND (%(ids)s::integer[] IS NULL OR series_id = ANY (%(ids)s::integer[]))
  AND ts >= coalesce(%(since)s, '-infinity'::timestamptz)
  AND ts >= coalesce(%(low)s::timestamptz, '-infinity')
  AND (%(high)s::timestamptz IS NULL OR ts < %(high)s::timestamptz)
