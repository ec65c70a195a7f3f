-- How many observations a series has on each day of the week of a zone.
SELECT extract(isodow FROM ts AT TIME ZONE %(zone)s)::integer AS weekday, count(*) AS points
FROM time_series_data WHERE series_id = %(series)s
GROUP BY 1
