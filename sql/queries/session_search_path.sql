-- What is not named in the search path comes first: PostgreSQL's own, before what somebody else called
-- so. A name in quotes may hold commas, and is one name.
SELECT pg_catalog.set_config('search_path', pg_catalog.array_to_string(ARRAY(
    SELECT entry[1]
    FROM pg_catalog.regexp_matches(
        pg_catalog.current_setting('search_path'), '("(?:[^"]|"")*"|[^,"[:space:]]+)', 'g')
        WITH ORDINALITY AS path (entry, place)
    WHERE pg_catalog.lower(entry[1]) NOT IN ('pg_catalog', '"pg_catalog"') ORDER BY place), ','), false)
