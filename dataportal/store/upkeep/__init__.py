"""Upkeep of the tables: the columnstore, and what a night's work makes smaller or quicker."""
