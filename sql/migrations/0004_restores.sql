-- A series restored from a file has a run of its own, which its versions name.

ALTER TABLE fetch_run DROP CONSTRAINT fetch_run_kind_check,
    ADD CONSTRAINT fetch_run_kind_check CHECK (kind IN ('scheduled', 'backfill', 'restore'));
