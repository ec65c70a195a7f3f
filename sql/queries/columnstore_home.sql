-- For the rest of a transaction: functions of the extension are found where it was installed, after
-- all that the path leads to already.
SELECT set_config('search_path', current_setting('search_path') || ', ' || quote_ident(%(home)s), true)
