-- Of series at each of many times what was published at its time of decision, in their order.
SELECT number, series, ts, decided_at, value, published_at AS since, recorded_at
FROM time_series_published_at(%(names)s::text[], %(ts)s::timestamptz[],
    %(decided_at)s::timestamptz[], coalesce(%(recorded_by)s, 'infinity'::timestamptz))
