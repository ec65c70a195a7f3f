"""Reads what is stored: history, states of sources, checks, text by the million."""
