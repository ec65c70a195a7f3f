-- Records that the initial history of a source's series has been asked for: from now on only what
-- is new is.
UPDATE time_series SET history_asked_at = clock_timestamp()
WHERE source = %(source)s AND endpoint_prefix = ANY (%(names)s) AND history_asked_at IS NULL
