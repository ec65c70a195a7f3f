"""The embedded PostgreSQL server: its process, files, users. Knows nothing of our tables."""
