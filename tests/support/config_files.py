"""Writes a sources.yaml, and reads what the program takes from it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from dataportal.config import load
from dataportal.errors import ConfigurationError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dataportal.config import Configuration, Source

SINGLE = """\
timeseries:
  load:
    module: dataportal.plugins.data_sources.csv_plugin
    class: CsvDataSourcePlugin
"""
"""A source of one series; what is added to it stands four columns in."""
GROUP = """\
request_groups:
  grid:
    module: plugins.grid
    class: GridPlugin
    timeseries:
      - endpoint_prefix: load
"""
"""A group of one series; what is added to it stands six columns in."""


class Folder:
    """A folder with a sources.yaml.

    Args:
        folder: where.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "sources.yaml"

    def write(self, text: str | bytes) -> Path:
        """Write the file as it is given, a text without its common indentation."""
        raw = textwrap.dedent(text).encode() if isinstance(text, str) else text
        self.path.write_bytes(raw)
        return self.path

    def load(self, text: str | bytes, env: Mapping[str, str] | None = None) -> Configuration:
        """What a file with this text says."""
        return load(self.write(text), env or {})

    def source(self, text: str, env: Mapping[str, str] | None = None) -> Source:
        """The one source of such a file, in which nothing is wrong or odd."""
        configuration = self.load(text, env)
        assert not configuration.problems
        assert not configuration.warnings
        (source,) = configuration.sources
        return source

    def params(self, block: str) -> dict[str, Any]:
        """What the plugin gets of these lines under `default_params`."""
        lines = textwrap.indent(textwrap.dedent(block), " " * 6)
        return dict(self.source(f"{SINGLE}    default_params:\n{lines}").params)

    def refusals(self, text: str | bytes) -> list[str]:
        """Why the file cannot be used, a line for each problem, without the folder's name."""
        with pytest.raises(ConfigurationError) as raised:
            self.load(text)
        error = raised.value
        assert error.exit_code is ExitCode.CONFIGURATION
        messages = [str(problem) for problem in error.problems] or [str(error)]
        return [self.bare(line) for line in messages]

    def problems(self, text: str) -> list[str]:
        """What is wrong with a file of which something can be used, without the folder's name."""
        return [self.bare(str(problem)) for problem in self.load(text).problems]

    def warnings(self, text: str) -> list[str]:
        """What is odd in a file in which nothing is wrong, without the folder's name."""
        configuration = self.load(text)
        assert not configuration.problems
        return [self.bare(warning) for warning in configuration.warnings]

    def bare(self, text: str) -> str:
        """The text without the name of the folder."""
        return text.replace(f"{self.path.parent}/", "")
