-- How much time the chunks of a table cover that are yet to come.
SELECT set_chunk_time_interval(%(table)s::regclass, %(interval)s::interval)
