-- By which column the tables are about to be distributed: that of the series, or none, which leaves all
-- of a portal on one machine.
SELECT set_config('dataportal.distribution_column', %(column)s, true)
