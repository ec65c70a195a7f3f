-- Requests to providers that punish haste: when the next one may be sent, by host and key.

CREATE TABLE request_slot (
    name text PRIMARY KEY,
    next_at timestamptz NOT NULL
) WITH (fillfactor = 70);

COMMENT ON TABLE request_slot IS
    'One row for each host and key whose rate limit several machines keep together; keys are hashed.';
COMMENT ON COLUMN request_slot.next_at IS 'When the next request may be sent.';
