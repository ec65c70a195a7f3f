"""Dumps whole histories of series to files, and restores them."""
