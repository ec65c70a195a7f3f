"""An answer that a provider gave, with all that our reader must make of it.

Recordings, which lie beside the checkout, are served as they are, and worked out with nothing but
the standard library. Figures of `tests/figures` are laid out as the provider lays them out: of
others' files only the figures are taken over, and each file says where it was recorded.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from support.http_server import LocalServer
    from support.plugin_calls import Series

    Values = dict[str, Series]

FIGURES = Path(__file__).parents[1] / "figures"


@dataclass(frozen=True)
class RealAnswer:
    """An answer, what the plugin reads in it, and what stands in it.

    Attributes:
        provider: the name of its page in the manual.
        read: what our reader makes of it, served by a server of the test.
        expected: what stands in it, worked out by something else.
        recordings: the files that are read.
        is_counted: whether a provider sent it, and it is not counted already in another form.
        answers: how many they are, where several files belong together.
    """

    provider: str
    read: Callable[[LocalServer], Values]
    expected: Callable[[], Values]
    recordings: tuple[str, ...] = ()
    is_counted: bool = True
    answers: int = 1


def count_figures(expected: Values) -> int:
    """How many numbers are compared; "no value" is none of them."""
    return sum(value is not None for own in expected.values() for value in own.values())


def utc_text(instant: datetime) -> str:
    """The instant as the keys of values have it."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_figures(name: str) -> Values:
    """A file of `tests/figures`: series by their names, values by the begin of their interval."""
    lines = (FIGURES / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    rows = [*csv.DictReader(line for line in lines if not line.startswith("#"))]
    names = [name for name in rows[0] if name != "ts"]
    return {
        name: {row["ts"]: float(row[name]) if row[name] else None for row in rows} for name in names
    }
