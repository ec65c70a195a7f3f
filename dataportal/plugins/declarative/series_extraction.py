"""What is wanted of an answer, what was found of it, and what is wrong where nothing was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.records import CUT
from dataportal.plugins.readers.expressions import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dataportal.errors import FetchError
    from dataportal.plugins.declarative.records import Place, Records

_LISTED = 8  # of what stands where a filter looked in vain
_SHOWN = 60


@dataclass(slots=True)
class Wanted:
    """One series: where its values stand and in which rows, and what was found of it.

    Attributes:
        value: the place of its values in a row.
        rows: where its rows are; empty for where those of all are.
        filters: what must stand in which place of a row.
        names: what its extract_filter says for the fields of the address.
        ts: the times found, in the window as far as is known; texts for what is none.
        values: beside them.
        published: beside them, if it is known when they were published.
        seen: how many rows there were.
        counted: how many of them count, for whichever series.
        matched: how many of them are its own.
        mine: how many of those count.
        valued: how many of those have the place of the value.
        timed: how many of those have a time that can be read.
        first: the first records looked at.
        fault: why it cannot be had.
        unchanged: whether some of it is as it was when it was stored, and was not had.
    """

    value: Place
    rows: str
    filters: dict[str, str]
    names: dict[str, str]
    ts: list[datetime | str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    published: list[datetime | str] = field(default_factory=list)
    seen: int = 0
    counted: int = 0
    matched: int = 0
    mine: int = 0
    valued: int = 0
    timed: int = 0
    first: Records | None = None
    fault: FetchError | None = None
    unchanged: bool = False

    def wrong(self, ts: Sequence[Place], shared: Mapping[str, Sequence[str]]) -> FetchError | None:
        """What is wrong with it, once all answers are had.

        Something is where rows were had and none counts or is its own, or none has a value, a time
        or a number that can be read: a slip in sources.yaml, or an API that has changed. It is not
        where its own rows are there and do not count just now.

        Args:
            ts: where the times stand.
            shared: what must stand where for a row to count.
        """
        if self.fault is not None or self.first is None:
            return self.fault
        said = self._complaint(ts, shared, self.first)
        return None if said is None else self.first.bad(said)

    def _complaint(  # noqa: PLR0911 - one for each thing that can be missing
        self, ts: Sequence[Place], shared: Mapping[str, Sequence[str]], first: Records
    ) -> str | None:
        if not self.counted:
            conditions = {place: " or ".join(texts) for place, texts in shared.items()}
            return f"has no row with {_listed(conditions)} among {self.seen}{_there(shared, first)}"
        if not self.matched:
            there = _there(self.filters, first)
            return f"has no row with {_listed(self.filters)} among {self.seen}{there}"
        if self.mine and not self.valued:
            return f"has nothing at {self.value!r} in any of {self.mine} rows"
        if self.ts and not self.timed:
            places = ts[0] if len(ts) == 1 else list(ts)
            return f"has no time that can be read at {places!r}; the first is {_short(self.ts[0])}"
        if self.published and all(isinstance(moment, str) for moment in self.published):
            return f"has no published_at that can be read; the first is {_short(self.published[0])}"
        if self.values and all(_is_refused(value) for value in self.values):
            return f"has no number at {self.value!r}; the first is {_short(self.values[0])}"
        return None


def _listed(conditions: Mapping[str, str]) -> str:
    return " and ".join(f"{place} = {text!r}" for place, text in conditions.items())


def _there(filters: Mapping[str, object], first: Records) -> str:
    """What stands in the rows instead, where one place alone decides."""
    if len(filters) != 1:
        return ""
    cells = first.column(next(iter(filters)))
    texts = list(dict.fromkeys(written(cell) for cell in cells if cell is not CUT))
    more = ", …" if len(texts) > _LISTED else ""
    return f", but {', '.join(text or repr(text) for text in texts[:_LISTED])}{more}"


def written(raw: object) -> str:
    """How sources.yaml writes what stands in a row."""
    if raw is ABSENT or raw is None:
        return ""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw).strip()


def _is_refused(value: object) -> bool:
    return value is not None and (isinstance(value, bool) or not isinstance(value, int | float))


def _short(value: object) -> str:
    return repr(str(value)[:_SHOWN])
