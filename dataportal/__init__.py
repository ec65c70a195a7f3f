"""Fetch public time series, keep every version of every value, answer what was known when."""

from dataportal.version import __version__

__all__ = ["__version__"]
