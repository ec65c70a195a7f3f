-- Adds a series seen for the first time; another source may have been quicker, which shows on
-- reading.
INSERT INTO time_series (endpoint_prefix, source, name, description, granularity, unit, domain,
    category, subcategory, update_frequency, ts_timezone, metadata, availability)
VALUES (%(endpoint_prefix)s, %(source)s, %(name)s, %(description)s, %(granularity)s, %(unit)s,
    %(domain)s, %(category)s, %(subcategory)s, %(update_frequency)s, %(ts_timezone)s, %(metadata)s,
    %(availability)s)
ON CONFLICT (endpoint_prefix) DO NOTHING
