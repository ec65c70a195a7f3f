"""Writes a slice: one transaction, what it changes, and nothing else."""
