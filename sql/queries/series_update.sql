-- Records what sources.yaml says of a series now; its observations and versions are not touched.
UPDATE time_series SET source = %(source)s, name = %(name)s, description = %(description)s,
    granularity = %(granularity)s, unit = %(unit)s, domain = %(domain)s, category = %(category)s,
    subcategory = %(subcategory)s, update_frequency = %(update_frequency)s,
    ts_timezone = %(ts_timezone)s, metadata = %(metadata)s,
    availability = %(availability)s, updated_at = clock_timestamp()
WHERE endpoint_prefix = %(endpoint_prefix)s
