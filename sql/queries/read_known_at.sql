-- Of series at each of many times what was known at its time of decision, in their order.
SELECT number, series, ts, decided_at, value, valid_from AS since, NULL::timestamptz AS recorded_at
FROM time_series_known_at(%(names)s::text[], %(ts)s::timestamptz[], %(decided_at)s::timestamptz[])
