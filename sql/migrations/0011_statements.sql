-- What answers say of a series besides its points, and points that we had read wrong ourselves.

ALTER TABLE time_series
    ADD COLUMN answer_unit text,
    ADD COLUMN published_timezone text,
    ADD COLUMN reading smallint NOT NULL DEFAULT 1;

-- A run that withdrew something is kept like one that wrote a version.
ALTER TABLE fetch_run ADD COLUMN withdrawn bigint NOT NULL DEFAULT 0;
DROP INDEX fetch_run_prunable;
CREATE INDEX fetch_run_prunable ON fetch_run (source, started_at)
    WHERE finished_at IS NOT NULL AND inserted = 0 AND revised = 0 AND retracted = 0
      AND vintages = 0 AND issues = 0 AND withdrawn = 0;

COMMENT ON COLUMN time_series.answer_unit IS
    'The unit that its answers name, since the first that did: one that names another is refused. '
    'NULL: none has named one yet.';
COMMENT ON COLUMN time_series.published_timezone IS
    'The zone of whose days its provider publishes; NULL = ts_timezone.';
COMMENT ON COLUMN time_series.reading IS
    'By which reading of its provider it is stored; it rises when a plugin mends how it reads.';
COMMENT ON COLUMN fetch_run.withdrawn IS
    'Points that were withdrawn as an earlier reading of the provider was wrong; apart from received.';
