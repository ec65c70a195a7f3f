-- Whether the server can make one chunk of several: TimescaleDB's Community edition, from 2.18 on.
SELECT coalesce(current_setting('timescaledb.license', true), '') = 'timescale' AND EXISTS (
    SELECT FROM pg_extension AS e
    JOIN pg_proc AS p ON p.pronamespace = e.extnamespace
    WHERE e.extname = 'timescaledb' AND p.proname = 'merge_chunks'
      AND p.pronargs = 1 AND p.proargtypes[0] = 'regclass[]'::regtype
)
