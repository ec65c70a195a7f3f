"""The command line: options in, exit code out. No SQL, no HTTP, no formatting."""

from dataportal.cli.app import run

__all__ = ["run"]
