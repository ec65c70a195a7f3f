"""A PostgreSQL server of our own: its processes, files and users. Knows nothing of our tables."""
