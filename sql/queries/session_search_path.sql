-- What is not named in the search path comes first: PostgreSQL's own, before what somebody else called
-- so.
SELECT pg_catalog.set_config('search_path', pg_catalog.array_to_string(ARRAY(
    SELECT entry
    FROM pg_catalog.unnest(pg_catalog.string_to_array(
        pg_catalog.current_setting('search_path'), ',')) WITH ORDINALITY AS path (entry, place)
    WHERE pg_catalog.btrim(entry, ' "') <> 'pg_catalog' ORDER BY place), ','), false)
