-- Opens the chunks that one of the tables lacks for these times, each as wide as its time asks for.
SELECT dataportal_open_chunks(%(table)s, %(ts)s)
