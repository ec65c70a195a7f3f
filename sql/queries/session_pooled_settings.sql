-- The settings that answers depend on, for a session that shares its server process: a pooler keeps
-- them for each of its clients.
SET TimeZone = 'UTC'; SET DateStyle = 'ISO'
