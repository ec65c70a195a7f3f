-- How long the intervals of series are, and from which ts on: whole months and days, and the rest.
SELECT series_id, ts_from, months, days,
       resolution - make_interval(months => months, days => days) AS rest
FROM (
    SELECT series_id, ts_from, resolution,
           (extract(year FROM resolution) * 12 + extract(month FROM resolution))::integer AS months,
           extract(day FROM resolution)::integer AS days
    FROM time_series_resolution WHERE series_id = ANY (%(series)s)
) AS r
ORDER BY series_id, ts_from
