"""Whole histories of series as files: written, read and brought back."""
