-- Another schema that the search path names and that has a portal, for one without: also where this
-- role may not use it.
SELECT n.nspname
FROM unnest(string_to_array(current_setting('search_path'), ',')) WITH ORDINALITY AS p (name, place)
JOIN pg_namespace AS n
    ON n.nspname = replace(btrim(p.name, ' "'), '$user', current_user)
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'time_series_data_scd2'
WHERE n.nspname IS DISTINCT FROM current_schema()
ORDER BY p.place LIMIT 1
