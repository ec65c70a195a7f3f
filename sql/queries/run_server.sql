-- Keeps on which server the source was last written.
UPDATE source_state SET server_started_at = %(started)s, timeline = %(timeline)s
WHERE source = %(source)s
