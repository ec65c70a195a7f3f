-- Lets TimescaleDB compress chunks of a table by itself, once all in them is older than that; in
-- place of a policy that there is.
SELECT remove_compression_policy(%(table)s::regclass, if_exists => true),
       add_compression_policy(%(table)s::regclass, compress_after => %(after)s::interval)
