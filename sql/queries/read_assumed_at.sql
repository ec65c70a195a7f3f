-- Of series at each of many times what would have been known at its time of decision, in their order, if what
-- was back-filled was known when values of it usually are.
SELECT number, series, ts, decided_at, value, valid_from AS since, NULL::timestamptz AS recorded_at,
       assumed
FROM time_series_assumed_at(%(names)s::text[], %(ts)s::timestamptz[], %(decided_at)s::timestamptz[])
