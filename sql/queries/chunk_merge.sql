-- Makes one chunk of several that lie side by side; their rows are moved by the server.
CALL merge_chunks(%(chunks)s::regclass[])
