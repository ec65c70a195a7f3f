"""Fetch public time series, keep every version of every value, answer what was known when.

`connect()` gives the Python API: see `dataportal help analysts`. To import this package imports
next to nothing, and changes nothing of the process.
"""

from dataportal.version import __version__

# as of typing, which takes longer to import than all of this
TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataportal.analysis.portal import Portal, connect
    from dataportal.analysis.tables import Table
    from dataportal.errors import (
        ConfigurationError,
        DatabaseError,
        DatabaseTransientError,
        DataportalError,
        MissingExtraError,
        QuestionError,
        TooLargeError,
        UnknownColumnError,
        UnknownSeriesError,
    )

_ORIGINS = {
    "Portal": "dataportal.analysis.portal",
    "connect": "dataportal.analysis.portal",
    "Table": "dataportal.analysis.tables",
    "ConfigurationError": "dataportal.errors",
    "DatabaseError": "dataportal.errors",
    "DatabaseTransientError": "dataportal.errors",
    "DataportalError": "dataportal.errors",
    "MissingExtraError": "dataportal.errors",
    "QuestionError": "dataportal.errors",
    "TooLargeError": "dataportal.errors",
    "UnknownColumnError": "dataportal.errors",
    "UnknownSeriesError": "dataportal.errors",
}

__all__ = [
    "ConfigurationError",
    "DatabaseError",
    "DatabaseTransientError",
    "DataportalError",
    "MissingExtraError",
    "Portal",
    "QuestionError",
    "Table",
    "TooLargeError",
    "UnknownColumnError",
    "UnknownSeriesError",
    "__version__",
    "connect",
]


def _import_name(name: str) -> object:
    """What is imported when somebody asks for it."""
    if name not in _ORIGINS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_ORIGINS[name]), name)


if not TYPE_CHECKING:
    # to a type checker a module with this has every name
    __getattr__ = _import_name


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
