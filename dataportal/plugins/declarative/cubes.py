"""Records of whole series, which a dimension and its code find: JSON-stat and SDMX answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

from dataportal.plugins.declarative.series_extraction import filter_text
from dataportal.plugins.readers.expressions import ABSENT_FIELD

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from dataportal.errors import BadDataError
    from dataportal.plugins.declarative.records import FieldPath
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params

    Conditions = Mapping[str, Collection[str]]

TIME_FIELD: Final = "the time dimension"
"""The path of the times, where the source does not name the dimension."""
VALUE_FIELD: Final = "value"
"""The path of the observed values."""
OF_JSON: Final = ("json-stat", "sdmx-json")
"""The layouts of JSON that are cubes."""
OF_XML: Final = ("sdmx-ml",)
"""The layouts of XML that are cubes."""

_LISTED = 12  # codes that a message shows
_TIME_NAMES = frozenset({"time", "time_period", "period", "tid", "timeperiod"})


def set_cube_defaults(params: Params) -> None:
    """Let a source with the layout of a cube leave out where times and values are."""
    if params.first_given("layout") in (*OF_JSON, *OF_XML):
        params.set_default("ts", TIME_FIELD)
        params.set_default("value", VALUE_FIELD)
        if params.first_given("timestamp_format") is None:
            params.set_default("time_format", "period")


class Cube(ABC):
    """Observations by the codes of their dimensions."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of observations."""

    @abstractmethod
    def select(self, conditions: Conditions) -> CubeRecords:
        """The observations with one of the codes in each of these dimensions.

        Raises:
            BadDataError: there is no such dimension or code, or a dimension with several codes is
                left open; names those that there are.
        """


class CubeRecords:
    """Selected observations of a cube, as records.

    Args:
        axis: the periods of the cube, as they are written, in its order.
        positions: of each observation, where its period stands in the axis.
        values: of each observation; `ABSENT_FIELD` where a sparse cube has none.
        field: a column by its name; None for one that there is not.
        answer: the answer.
        is_dense: whether no value is `ABSENT_FIELD`, so that none has to be looked for.
        is_copy: whether the values are a list of these records' own.

    Attributes:
        axis: the same list for all records of a cube that share it.
        positions: of observations that are there.
        values: of these.
        is_copy: whether nobody else has that list.
        further_field: a further field by its name; None for one that there is not.
    """

    def __init__(
        self,
        axis: Sequence[str],
        positions: Sequence[int],
        values: Sequence[Any],
        field: Callable[[str], Sequence[Any] | None],
        answer: Answer,
        *,
        is_dense: bool = False,
        is_copy: bool = False,
    ) -> None:
        self.axis = axis
        self.positions = positions
        self.values = values
        self.is_copy = is_copy
        self._field = field
        self._answer = answer
        self.further_field: Callable[[str], Sequence[Any] | None] = lambda _: None
        self._kept: list[bool] | None = None
        if not is_dense and ABSENT_FIELD in values:
            self._keep([value is not ABSENT_FIELD for value in values])

    def __len__(self) -> int:
        return len(self.values)

    def has(self, name: str) -> bool:
        """Whether there is a code, an attribute or a further field of that name."""
        return self.further_field(name) is not None or self._field(name) is not None

    def column(self, path: FieldPath) -> Sequence[Any]:
        """Times, values, codes and attributes by their names."""
        if path == TIME_FIELD:
            return [self.axis[position] for position in self.positions]
        if path == VALUE_FIELD:
            return self.values
        further = self.further_field(str(path))
        if further is not None:
            return further
        column = self._field(str(path))
        if column is None:
            return [ABSENT_FIELD] * len(self)
        return column if self._kept is None else [*compress(column, self._kept)]

    def keep_texts(self, path: str, texts: Collection[str]) -> None:
        """Leave out observations that have none of these texts in a column."""
        self._keep([filter_text(cell) in texts for cell in self.column(path)])

    def _keep(self, kept: list[bool]) -> None:
        self.positions = [*compress(self.positions, kept)]
        self.values = [*compress(self.values, kept)]
        if self._kept is None:
            self._kept = kept
        else:
            remaining = iter(kept)
            self._kept = [was and next(remaining) for was in self._kept]

    def row(self, number: int) -> object:
        """All that is compared of an observation."""
        return self.axis[self.positions[number]], self.values[number]

    def bad(self, reason: str) -> BadDataError:
        """The error that says why these records cannot be used."""
        return self._answer.bad(reason)

    def truncation_error(self, row: int) -> BadDataError:
        """The error for an observation that is cut; there is none."""
        return self._answer.bad(f"has an observation {row + 1} that is too short")


def is_time_name(name: str) -> bool:
    """Whether a dimension of that name is the one of time, in standards and in offices."""
    return name.lower() in _TIME_NAMES


def unknown_dimension(name: str, dimensions: Iterable[str]) -> str:
    """What a message says of a dimension that there is not."""
    return f"has no dimension {name!r}; the dimensions are {first_texts(dimensions)}"


def unknown_code(name: str, codes: Iterable[str], there: Iterable[str]) -> str:
    """What a message says of codes that a dimension does not have."""
    wanted = " or ".join(map(repr, codes))
    return f"has no {name} = {wanted}, but {first_texts(there)}"


def open_dimension(name: str, codes: Iterable[str]) -> str:
    """What a message says of a dimension with several codes, of which none is chosen."""
    return f"has several codes of {name} ({first_texts(codes)}), and the filter does not say which"


def first_texts(texts: Iterable[str]) -> str:
    """The first of some texts, for a message."""
    known = [*dict.fromkeys(texts)]
    more = ", …" if len(known) > _LISTED else ""
    return ", ".join(known[:_LISTED]) + more if known else "none"
