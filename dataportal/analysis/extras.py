"""Packages that somebody may have or not: what is there, and which command installs the others."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dataportal.errors import MissingExtraError


def is_installed(package: str) -> bool:
    """Whether a package can be imported; it is not imported to find out."""
    return find_spec(package) is not None


def optional_package(package: str, what_for: str) -> Any:
    """A package that the user brings.

    Args:
        package: its name, under which it is installed too.
        what_for: what it does here, as a message says it.

    Raises:
        MissingExtraError: it is not installed; names the command.
    """
    if not is_installed(package):
        raise MissingExtraError(
            f"{package} is missing, which {what_for}", hint=f"Install it: pip install {package}"
        )
    return import_module(package)
