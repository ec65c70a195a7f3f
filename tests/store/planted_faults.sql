-- Damage for test_verification.py, as the owner of the tables could do it: name of the fault, the
-- checks that find it, the hour at which; then the statements.

-- no_interval: intervals at 1
UPDATE time_series_data_scd2 SET valid_to = valid_from
WHERE ts = '2025-03-01 01:00Z' AND series_id = 1 AND valid_to < 'infinity';

-- two_open: versions current at 0
INSERT INTO time_series_data_scd2
SELECT ts, value, valid_from, 'infinity', run_id, series_id FROM time_series_data_scd2
WHERE ts = '2025-03-01 00:00Z' AND series_id = 1 AND value = 1;
UPDATE fetch_run SET inserted = inserted + 1, received = received + 1 WHERE run_id = 1;

-- overlap: versions at 1
UPDATE time_series_data_scd2 SET valid_to = valid_to + interval '1 minute'
WHERE ts = '2025-03-01 01:00Z' AND series_id = 1 AND valid_to < 'infinity';
UPDATE source_state SET last_knowledge_time = last_knowledge_time + interval '2 minutes';

-- no_open_version: current at 1
UPDATE time_series_data_scd2 SET valid_to = clock_timestamp()
WHERE ts = '2025-03-01 01:00Z' AND series_id = 1 AND valid_to = 'infinity';
UPDATE source_state SET last_knowledge_time = clock_timestamp();

-- no_current_value: current at 1
DELETE FROM time_series_data WHERE ts = '2025-03-01 01:00Z' AND series_id = 1;

-- another_value: current at 1
UPDATE time_series_data SET value = 6 WHERE ts = '2025-03-01 01:00Z' AND series_id = 1;

-- another_run: current at 1
UPDATE time_series_data SET run_id = 1 WHERE ts = '2025-03-01 01:00Z' AND series_id = 1;

-- another_time: current at 1
UPDATE time_series_data SET updated_at = clock_timestamp()
WHERE ts = '2025-03-01 01:00Z' AND series_id = 1;

-- version_after_last: knowledge at 1
UPDATE time_series_data_scd2 SET valid_from = '2100-01-01'
WHERE ts = '2025-03-01 01:00Z' AND series_id = 1 AND valid_to = 'infinity';
UPDATE time_series_data SET updated_at = '2100-01-01'
WHERE ts = '2025-03-01 01:00Z' AND series_id = 1;

-- closed_after_last: knowledge at 4
UPDATE time_series_data_scd2 SET valid_to = '2100-01-01'
WHERE ts = '2025-03-01 04:00Z' AND series_id = 1;

-- source_knows_nothing: knowledge at 0
UPDATE source_state SET last_knowledge_time = NULL WHERE source = 'other';

-- vintage_after_last: knowledge at 2
UPDATE time_series_vintage SET recorded_at = '2100-01-01' WHERE ts = '2025-03-01 02:00Z';

-- vintage_twice: vintages at 2
INSERT INTO time_series_vintage
SELECT ts, published_at, recorded_at - interval '1 us', value, run_id, series_id
FROM time_series_vintage WHERE ts = '2025-03-01 02:00Z';
UPDATE fetch_run SET vintages = vintages + 1 WHERE vintages > 0;

-- no_run: runs
UPDATE time_series_data_scd2 SET run_id = 999 WHERE run_id = 3;
UPDATE time_series_data SET run_id = 999 WHERE run_id = 3;
DELETE FROM fetch_run WHERE run_id = 3;

-- vintage_of_no_run: runs
UPDATE time_series_vintage SET run_id = 999 WHERE ts = '2025-03-01 02:00Z';

-- versions_too_many: runs
UPDATE fetch_run SET inserted = inserted - 1, received = received - 1 WHERE run_id = 1;

-- versions_missing: runs
DELETE FROM time_series_data_scd2
WHERE ts = '2025-03-01 01:00Z' AND series_id = 1 AND valid_to < 'infinity';

-- vintages_too_many: runs
UPDATE fetch_run SET vintages = 0;

-- vintages_missing: runs
DELETE FROM time_series_vintage WHERE ts = '2025-03-01 02:00Z';

-- counts_do_not_add_up: runs
UPDATE fetch_run SET unchanged = unchanged + 1 WHERE run_id = 1;

-- version_of_no_series: series at 0
DELETE FROM time_series WHERE endpoint_prefix = 'rain';

-- vintage_of_no_series: series at 2
UPDATE time_series_vintage SET series_id = 2000000000 WHERE ts = '2025-03-01 02:00Z';

-- issue_of_nothing: issues at 2
UPDATE time_series_issue SET first_ts = last_ts + interval '1 hour';

-- issue_twice: issues at 1
INSERT INTO time_series_issue SELECT * FROM time_series_issue;
UPDATE fetch_run SET issues = issues + 1 WHERE issues > 0;

-- issue_after_last: knowledge at 1
UPDATE time_series_issue SET issued_at = '2100-01-01';

-- issue_of_no_series: series at 1
UPDATE time_series_issue SET series_id = 999;

-- issues_too_many: runs
UPDATE fetch_run SET issues = 0 WHERE issues > 0;

-- issues_missing: runs
UPDATE fetch_run SET issues = issues + 1 WHERE run_id = 1;

-- no_number: intervals at 1
UPDATE time_series_data SET value = 'NaN' WHERE ts = '2025-03-01 01:00Z' AND series_id = 1;
UPDATE time_series_data_scd2 SET value = 'NaN'
WHERE ts = '2025-03-01 01:00Z' AND series_id = 1 AND valid_to = 'infinity';

-- infinite_value: intervals at 1
UPDATE time_series_data_scd2 SET value = '-infinity'
WHERE ts = '2025-03-01 01:00Z' AND series_id = 1 AND valid_to < 'infinity';

-- no_time: intervals at 1
UPDATE time_series_data_scd2 SET valid_from = '-infinity'
WHERE ts = '2025-03-01 01:00Z' AND series_id = 1 AND valid_to < 'infinity';

-- known_for_ever: intervals at 0
UPDATE time_series_data SET updated_at = '-infinity' WHERE series_id = 3;
UPDATE time_series_data_scd2 SET valid_from = '-infinity' WHERE series_id = 3;

-- vintage_no_number: vintages at 2
UPDATE time_series_vintage SET value = 'infinity' WHERE ts = '2025-03-01 02:00Z';

-- vintage_no_time: vintages at 2
UPDATE time_series_vintage SET published_at = '-infinity' WHERE ts = '2025-03-01 02:00Z';

-- no_outcome: runs
UPDATE fetch_run SET finished_at = NULL WHERE run_id = 1;

-- a_negative_count: runs
UPDATE fetch_run SET unchanged = unchanged - 7, nulls = nulls + 7 WHERE run_id = 1;

-- resolution_of_no_series: series at 3
INSERT INTO time_series_resolution (ts_from, resolution, run_id, series_id)
VALUES ('2025-03-01 03:00Z', '1 hour', 1, 999);

-- no_resolution: series at 3
INSERT INTO time_series_resolution (ts_from, resolution, run_id, series_id)
VALUES ('2025-03-01 03:00Z', '-1 hour', 1, 1);

-- a_nested_overlap: versions at 1
INSERT INTO time_series_data_scd2
SELECT ts, 9, valid_from, valid_to - (valid_to - valid_from) / 2, run_id, series_id
FROM time_series_data_scd2
WHERE ts = '2025-03-01 01:00Z' AND series_id = 1 AND valid_to < 'infinity';
UPDATE fetch_run SET inserted = inserted + 1, received = received + 1 WHERE run_id = (
    SELECT run_id FROM time_series_data_scd2
    WHERE ts = '2025-03-01 01:00Z' AND series_id = 1 AND value = 9
);

-- a_moved_version: versions at 0
UPDATE time_series_data_scd2 SET valid_from = valid_from + (valid_to - valid_from) / 2,
    valid_to = valid_to + interval '1 microsecond'
WHERE ts = '2025-03-01 00:00Z' AND series_id = 1 AND value = 0
