"""Fetch public time series, keep every version of every value, answer what was known when."""

__version__ = "1.0.0"
