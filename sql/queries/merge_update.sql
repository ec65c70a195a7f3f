-- Revisions of one series: the current value becomes the new one, found by a binary search in the
-- ascending times. A join with the new values would be for the planner to order, and without
-- statistics it begins with the table.
UPDATE time_series_data
SET value = (%(value)s::double precision[])[width_bucket(ts, %(ts)s::timestamptz[])],
    updated_at = %(known)s, run_id = %(run)s
WHERE series_id = %(series)s AND ts = ANY (%(ts)s::timestamptz[])
  AND ts BETWEEN %(low)s AND %(high)s
