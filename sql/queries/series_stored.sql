-- The series of these names, whoever writes them.
SELECT series_id, endpoint_prefix, source, name, description, granularity, unit, domain, category,
       subcategory, update_frequency, ts_timezone, metadata, availability
FROM time_series WHERE endpoint_prefix = ANY (%(names)s)
