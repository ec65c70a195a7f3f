-- Whether the database's encoding has all characters of a text, which comes as UTF-8: an error if not.
SELECT convert_from(%(text)s, 'UTF8') IS NOT NULL
