-- What is stored in each span of a batch, as two arrays; the bounds let whole chunks be left out.
SELECT w.number, d.ts, d.value
FROM unnest(%(series)s::integer[], %(lows)s::timestamptz[], %(highs)s::timestamptz[],
    %(limits)s::bigint[]) WITH ORDINALITY AS w (series_id, low, high, most, number)
CROSS JOIN LATERAL (
    SELECT array_agg(o.ts) AS ts, array_agg(o.value) AS value
    FROM (
        SELECT ts, value FROM time_series_data
        WHERE series_id = w.series_id AND ts BETWEEN w.low AND w.high
          AND ts BETWEEN %(low)s AND %(high)s
        ORDER BY ts LIMIT w.most
    ) AS o
) AS d
