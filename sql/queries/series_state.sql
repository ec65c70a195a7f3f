-- Keeps what the answers of series state: their unit, the zone of their publications, their reading.
UPDATE time_series AS s SET
    answer_unit = f.unit, published_timezone = f.zone, reading = f.reading
FROM unnest(%(series)s::integer[], %(unit)s::text[], %(zone)s::text[], %(reading)s::smallint[])
    AS f (series_id, unit, zone, reading)
WHERE s.series_id = f.series_id
