"""Selects series of the database: by names, by globs, and by what is known of them.

Nothing but the database is asked: whoever may only read selects as the operator does.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from dataportal.errors import UnknownSeriesError, UsageError
from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.read.history import StoredSeries
from dataportal.store.rows import record_row
from dataportal.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import psycopg

_FIELDS = {
    "source": "source",
    "name": "name",
    "unit": "unit",
    "domain": "domain",
    "category": "category",
    "subcategory": "subcategory",
    "sub_category": "subcategory",
    "granularity": "granularity",
    "frequency": "granularity",
    "update_frequency": "update_frequency",
    "schedule": "update_frequency",
    "timezone": "ts_timezone",
    "series": "endpoint_prefix",
    "endpoint_prefix": "endpoint_prefix",
}
"""The keys of sources.yaml that a condition may name, and the fields of a series that hold them."""
_METADATA = "metadata."
_GLOB_SIGNS = "*?["
_SEE_ALL = "See: dataportal list-series"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a series must be: `unit=MW`, `domain=energy`, `source=smard-*`, `metadata.region=DE`.

    Attributes:
        key: as it was written.
        pattern: a value, or a glob of values.
    """

    key: str
    pattern: str

    def is_met(self, series: StoredSeries) -> bool:
        """Whether the series is like that."""
        value = self.value(series)
        return value is not None and (value == self.pattern or fnmatchcase(value, self.pattern))

    def value(self, series: StoredSeries) -> str | None:
        """What the series has there; None for nothing."""
        if self.key.startswith(_METADATA):
            value = series.metadata.get(self.key.removeprefix(_METADATA))
        else:
            value = getattr(series, _FIELDS[self.key])
        return None if value is None else str(value)


def parse_condition(text: str) -> Condition:
    """The condition that a text such as `unit=MW` states.

    Raises:
        UsageError: it is none, or its key is not one that series have.
    """
    key, equals, pattern = (part.strip() for part in text.partition("="))
    if not (key and equals and pattern):
        raise UsageError(f"--where {text!r} is no condition", hint="Write it like --where unit=MW")
    if key not in _FIELDS and not (key.startswith(_METADATA) and key != _METADATA):
        keys = [*_FIELDS, f"{_METADATA}KEY"]
        raise UsageError(
            f"--where {text!r}: a series has no {key!r}",
            hint=suggestion(key, keys, f"It has: {', '.join(keys)}"),
        )
    return Condition(key, pattern)


def parse_names(lines: Iterable[str]) -> list[str]:
    """The names of a list with one on each line; empty lines and those after `#` are left out."""
    names = (line.strip() for line in lines)
    return [name for name in names if name and not name.startswith("#")]


def select_series(
    connection: psycopg.Connection,
    names: Sequence[str] = (),
    conditions: Sequence[Condition] = (),
) -> list[StoredSeries]:
    """The series of these names, or that these globs match, as far as they meet all conditions.

    Each once, in the order of the names; those of a glob by their own names. Without a name: all.
    A name that is stored as it stands is that series, also if it looks like a glob.

    Raises:
        UnknownSeriesError: a name is not there, or a glob matches nothing.
        UsageError: the conditions match nothing.
    """
    wanted = list(dict.fromkeys(names))
    if wanted and not any(_is_glob(name) for name in wanted):
        candidates = _read_series(connection, wanted)
    else:
        candidates = _read_series(connection, None)
    selected = _select_names(
        wanted, candidates, lambda: [s.endpoint_prefix for s in _read_series(connection, None)]
    )
    return _filter_series(selected, conditions)


def _is_glob(name: str) -> bool:
    return any(sign in name for sign in _GLOB_SIGNS)


def _read_series(connection: psycopg.Connection, names: list[str] | None) -> list[StoredSeries]:
    with database_errors("reading the series"):
        cursor = connection.cursor(row_factory=record_row(StoredSeries))
        return cursor.execute(query("selection_series"), {"names": names}).fetchall()


def _select_names(
    names: Sequence[str], candidates: Sequence[StoredSeries], known: Callable[[], list[str]]
) -> list[StoredSeries]:
    if not names:
        return list(candidates)
    by_name = {series.endpoint_prefix: series for series in candidates}
    selected: dict[str, StoredSeries] = {}
    for name in names:
        if name in by_name:
            selected[name] = by_name[name]
            continue
        if not _is_glob(name):
            raise unknown_series(name, known())
        matches = {n: series for n, series in by_name.items() if fnmatchcase(n, name)}
        if not matches:
            raise UnknownSeriesError(
                f"{name!r} matches no series in this database",
                hint=suggestion(name.strip("*"), known(), _SEE_ALL),
            )
        selected |= matches
    return list(selected.values())


def unknown_series(name: str, known: Iterable[str]) -> UnknownSeriesError:
    """The error about a series that the database does not have, for the caller to raise."""
    return UnknownSeriesError(
        f"there is no series {name!r} in this database", hint=suggestion(name, known, _SEE_ALL)
    )


def _filter_series(
    series: list[StoredSeries], conditions: Sequence[Condition]
) -> list[StoredSeries]:
    for condition in conditions:
        left = [s for s in series if condition.is_met(s)]
        if series and not left:
            values = sorted({value for s in series if (value := condition.value(s)) is not None})
            raise UsageError(
                f"--where {condition.key}={condition.pattern} matches none of {len(series)} series",
                hint=suggestion(
                    condition.pattern, values, f"There is: {', '.join(values[:10]) or 'nothing'}"
                ),
            )
        series = left
    return series
