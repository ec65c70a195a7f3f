-- The indexes of a table or chunk that a REINDEX left behind which was cut off.
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_index AS x
JOIN pg_class AS c ON c.oid = x.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE x.indrelid = %(relation)s::regclass AND NOT x.indisvalid AND c.relname ~ '_cc(new|old)\d*$'
