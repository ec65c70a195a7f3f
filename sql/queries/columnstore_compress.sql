-- Compresses a chunk; one that is compressed already with all that was written to it since.
SELECT compress_chunk(%(chunk)s::regclass, recompress => %(again)s)
