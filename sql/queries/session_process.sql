-- The server process that serves a session, and where it looks names up: asked before anything is set.
SELECT pg_catalog.pg_backend_pid();
SHOW search_path
