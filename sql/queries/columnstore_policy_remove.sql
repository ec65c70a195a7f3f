-- Nothing compresses the chunks of a table by itself any more.
SELECT remove_compression_policy(%(table)s::regclass, if_exists => true)
