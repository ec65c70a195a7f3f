"""Reads what is stored: histories of series, overview of sources, verification."""
