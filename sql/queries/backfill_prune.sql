-- Forgets backfills of several sources that are older than 90 days; what they fetched stays.
DELETE FROM backfill WHERE created_at < clock_timestamp() - interval '90 days'
