"""A cube of series that each have a key, as SDMX messages are: codes of dimensions, attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.cubes import (
    Cube,
    CubeRecords,
    first_texts,
    open_dimension,
    unknown_code,
    unknown_dimension,
)
from dataportal.plugins.declarative.series_extraction import filter_text
from dataportal.plugins.readers.expressions import ABSENT_FIELD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dataportal.plugins.declarative.cubes import Conditions
    from dataportal.plugins.http.response import Answer


class KeyedSeries:
    """One series of a message.

    Args:
        key: its codes by dimension.
        attributes: what else is said of all its observations.
        axis: periods, as they are written.
        observations: its observations: where the period of each stands in the axis, and the values.
        observed: a column of what is said of each observation; None for what is not.
    """

    def __init__(
        self,
        key: Mapping[str, str],
        attributes: Mapping[str, Any],
        axis: Sequence[str],
        observations: Callable[[], tuple[Sequence[int], Sequence[Any]]],
        observed: Callable[[str], Sequence[Any] | None],
    ) -> None:
        self.key = key
        self.attributes = attributes
        self.axis = axis
        self.observations = observations
        self.observed = observed

    def text(self, name: str) -> str | None:
        """The code or the attribute of that name; None where there is neither."""
        if name in self.key:
            return self.key[name]
        return filter_text(self.attributes[name]) if name in self.attributes else None


class KeyedCube(Cube):
    """Series by their keys.

    Args:
        series: all of them.
        count: of all their observations.
        observed: the names of what is said of each observation.
        answer: the answer.
    """

    def __init__(
        self, series: Sequence[KeyedSeries], count: int, observed: set[str], answer: Answer
    ) -> None:
        self._series = series
        self._count = count
        self._observed = observed
        self._answer = answer
        self._by_names: dict[tuple[str, ...], dict[tuple[str | None, ...], list[KeyedSeries]]] = {}

    def __len__(self) -> int:
        return self._count

    def select(self, conditions: Conditions) -> CubeRecords:
        """The observations of the series with these codes."""
        of_observations = [
            name
            for name in conditions
            if name in self._observed and self._series[0].text(name) is None
        ]
        own = {name: texts for name, texts in conditions.items() if name not in of_observations}
        matched = self._matching_series(own)
        self._check_told_apart(matched)
        records = self._records(matched)
        for name in of_observations:
            records.keep_texts(name, conditions[name])
        return records

    def _matching_series(self, conditions: Conditions) -> list[KeyedSeries]:
        if all(len(texts) == 1 for texts in conditions.values()):
            names = tuple(conditions)
            if names not in self._by_names:
                by_texts = self._by_names[names] = {}
                for series in self._series:
                    by_texts.setdefault(tuple(map(series.text, names)), []).append(series)
            texts = tuple(next(iter(texts)) for texts in conditions.values())
            matched = self._by_names[names].get(texts, [])
        else:
            matched = [
                series
                for series in self._series
                if all(series.text(name) in texts for name, texts in conditions.items())
            ]
        if not matched:
            raise self._answer.bad(self._missing(conditions))
        return matched

    def _missing(self, conditions: Conditions) -> str:
        """Why no series matches."""
        remaining: Sequence[KeyedSeries] = self._series
        for name, texts in conditions.items():
            there = [text for series in remaining if (text := series.text(name)) is not None]
            if not there:
                return unknown_dimension(name, self._series[0].key)
            if not set(texts).intersection(there):
                return unknown_code(name, texts, there)
            remaining = [series for series in remaining if series.text(name) in texts]
        return "has no such series"  # pragma: no cover - one of the conditions left none over

    def _check_told_apart(self, matched: Sequence[KeyedSeries]) -> None:
        """Refuse series with different keys, as nobody knows which is meant."""
        keys = {tuple(series.key.items()) for series in matched}
        if len(keys) < 2:  # noqa: PLR2004 - one and another
            return
        names = dict.fromkeys(name for series in matched for name in series.key)
        codes = {name: {series.key.get(name, "") for series in matched} for name in names}
        name = next(name for name in names if len(codes[name]) > 1)
        differing = [name for name in names if len(codes[name]) > 1]
        also = f"; they differ in {first_texts(differing)}" if len(differing) > 1 else ""
        reason = open_dimension(name, [series.key.get(name, "") for series in matched])
        raise self._answer.bad(f"{reason}{also}")

    def _records(self, matched: Sequence[KeyedSeries]) -> CubeRecords:
        first = matched[0]
        if len(matched) == 1:
            positions, values = first.observations()
            axis = first.axis
        else:
            axis, positions, values = [], [], []
            for series in matched:
                own_positions, own_values = series.observations()
                positions = [*positions, *(len(axis) + position for position in own_positions)]
                axis = [*axis, *series.axis]
                values = [*values, *own_values]
        lengths = [len(series.observations()[0]) for series in matched]

        def column(name: str) -> Sequence[Any] | None:
            cells: list[Any] = []
            is_there = False
            for series, length in zip(matched, lengths, strict=True):
                text = series.text(name)
                observed = series.observed(name) if text is None else None
                is_there = is_there or text is not None or observed is not None
                if observed is not None:
                    cells.extend(observed)
                else:
                    cells.extend([ABSENT_FIELD if text is None else text] * length)
            return cells if is_there else None

        return CubeRecords(axis, positions, values, column, self._answer)
