-- Revises current values of series at the same times, in hypertables. The new value is found by
-- binary searches in the ascending series and times. A join with the new values would be for the
-- planner to order, and without statistics it begins with the table.
UPDATE time_series_data
SET value = (%(value)s::double precision[])[
        (width_bucket(series_id, %(series)s::integer[]) - 1) * %(size)s
        + width_bucket(ts, %(ts)s::timestamptz[])],
    updated_at = %(known)s, run_id = %(run)s
WHERE series_id = ANY (%(series)s::integer[]) AND ts = ANY (%(ts)s::timestamptz[])
  AND ts BETWEEN %(low)s AND %(high)s
