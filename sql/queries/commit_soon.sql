-- For a transaction whose loss in a crash of the server changes nothing: its commit does not wait for
-- the disk, and is there for certain with the next one that does.
SELECT set_config('synchronous_commit', 'off', true)
