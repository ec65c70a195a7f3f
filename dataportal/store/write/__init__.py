"""Writes slices: one transaction each, what it changes, and nothing else."""
