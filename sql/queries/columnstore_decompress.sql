-- Makes a chunk rows again.
SELECT decompress_chunk(%(chunk)s::regclass, if_compressed => true)
