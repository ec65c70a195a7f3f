"""Selects the rows of one series from a data set of Elexon, and makes columns of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataportal.errors import BadDataError
from dataportal.plugins.data_sources.elexon_plugin.datasets import DATASETS, KNOWN_TEXTS
from dataportal.plugins.data_sources.elexon_plugin.publications import Publications
from dataportal.plugins.readers.times import Clip, TimeFormat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataportal.errors import FetchError
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params
    from dataportal.plugins.readers.times import Window

    Columns = dict[str, list[Any]]
    Row = dict[str, Any]
    RowsByKey = Mapping[tuple[str, ...], Sequence[tuple[Answer, Row]]]
    """Rows, each with the answer that it stood in, by the texts that tell series apart."""

_LISTED = 40
_TIMES = TimeFormat()


@dataclass(frozen=True, slots=True)
class Selection:
    """One series: which field of which rows.

    Attributes:
        dataset: the name of the data set.
        value: the field of its values.
        filters: the fields that tell the series of the data set apart, and their texts.
        vintages: whether every publication is kept, and not the newest alone.
    """

    dataset: str
    value: str
    filters: tuple[tuple[str, str], ...]
    vintages: bool

    @classmethod
    def read(cls, params: Params, name: str) -> Selection:
        """The series of the data set `name` that parameters describe.

        What is wrong with the parameters is noted in them.
        """
        dataset = DATASETS.get(name, DATASETS["FUELHH"])
        value = params.choice("value", dataset.values) or dataset.values[0]
        filters = tuple((field, params.text(field, required=True)) for field in dataset.key_fields)
        for field in KNOWN_TEXTS:
            if field not in dataset.key_fields and params.has(field):
                params.add_fault(f"{field} does not go with dataset {name}")
        return cls(name, value, filters, params.flag("vintages", default=True))

    def columns(
        self, rows_by_key: RowsByKey, window: Window, last: Answer | None
    ) -> Columns | FetchError:
        """What its rows hold in the window; an error if it has none and is not known to exist.

        Args:
            rows_by_key: all rows of the data set.
            window: other times are left out.
            last: the last answer, to be quoted in an error.
        """
        rows = rows_by_key.get(tuple(text for _, text in self.filters), ())
        if not rows and rows_by_key and last is not None and not self._is_known:
            filters = ", ".join(f"{name} {text}" for name, text in self.filters)
            others = ", ".join(sorted(", ".join(key) for key in rows_by_key)[:_LISTED])
            return last.bad(f"has no row of {filters}, but {others}")
        try:
            return self._columns(rows, window)
        except BadDataError as error:
            return error

    @property
    def _is_known(self) -> bool:
        """Whether such rows have been seen, so that none may be due to the time asked for."""
        return all(text in KNOWN_TEXTS[name] for name, text in self.filters)

    def _columns(self, rows: Sequence[tuple[Answer, Row]], window: Window) -> Columns:
        published = DATASETS[self.dataset].published
        needed = ("startTime", self.value, *filter(None, [published]))
        publications, clip = Publications(), Clip(window)
        for answer, row in rows:
            missing = next((name for name in needed if name not in row), None)
            if missing is not None:
                raise answer.bad(f"has a row without {missing!r}")
            ts = _TIMES.read(row["startTime"])
            if isinstance(ts, str) or clip.takes(ts):
                publications.add(ts, _TIMES.read(row.get(published)), row[self.value])
        return clip.columns(
            publications.all_columns if published and self.vintages else publications.newest_columns
        )
