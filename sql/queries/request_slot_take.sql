-- Takes the next free slot of a host and key, so many seconds after the one before; the seconds until
-- it begins.
INSERT INTO request_slot AS s (name, next_at)
VALUES (%(name)s, clock_timestamp() + make_interval(secs => %(distance)s))
ON CONFLICT (name) DO UPDATE
    SET next_at = greatest(s.next_at, clock_timestamp()) + make_interval(secs => %(distance)s)
RETURNING extract(epoch FROM
    next_at - make_interval(secs => %(distance)s) - clock_timestamp())::float8
