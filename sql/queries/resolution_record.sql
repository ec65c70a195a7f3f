-- Records how long the intervals of a series are, from which ts on.
INSERT INTO time_series_resolution (ts_from, resolution, run_id, series_id)
SELECT ts, make_interval(months => months, days => days) + rest, %(run)s, %(series)s
FROM unnest(%(ts)s::timestamptz[], %(months)s::integer[], %(days)s::integer[],
    %(rest)s::interval[]) AS b (ts, months, days, rest)
ON CONFLICT (series_id, ts_from)
    DO UPDATE SET resolution = excluded.resolution, run_id = excluded.run_id
