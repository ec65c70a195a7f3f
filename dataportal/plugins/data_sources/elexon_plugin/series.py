"""Selects the rows of one series from a data set of Elexon, and makes columns of them."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

from dataportal.errors import BadDataError
from dataportal.plugins.data_sources.elexon_plugin.datasets import DATASETS, KNOWN_TEXTS
from dataportal.plugins.data_sources.elexon_plugin.publications import Publications
from dataportal.plugins.parameters import Parameters, about, one_of
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


class ElexonSeries(Parameters):
    """A series of a data set."""

    dataset: Annotated[str, one_of(DATASETS), about("what is asked for, see below")]
    value: Annotated[str | None, about("the field, where a data set has several (the first)")] = (
        None
    )
    fuelType: Annotated[  # noqa: N815 - as Elexon has it
        str | None,
        about(
            "of FUELHH and FUELINST: CCGT, WIND, NUCLEAR, BIOMASS, PS, NPSHYD, OCGT, OIL, COAL, "
            "OTHER, and interconnectors such as INTFR, negative when power leaves the country",
            examples=sorted(KNOWN_TEXTS["fuelType"]),
        ),
    ] = None
    psrType: Annotated[  # noqa: N815 - likewise
        str | None,
        about(
            "of AGPT: Solar, Wind Onshore, Wind Offshore, Nuclear, Biomass, Fossil Gas, Hydro "
            "Pumped Storage, …",
            examples=sorted(KNOWN_TEXTS["psrType"]),
        ),
    ] = None
    boundary: Annotated[
        str | None, about("of NDF and TSDF: N for the whole country", examples=("N",))
    ] = None
    dataProvider: Annotated[  # noqa: N815 - likewise
        str | None,
        about("of MID: APXMIDP or N2EXMIDP", examples=sorted(KNOWN_TEXTS["dataProvider"])),
    ] = None
    vintages: Annotated[
        bool, about("whether every publication is kept, and not only the newest (true)")
    ] = True


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
    def read(cls, params: Params) -> Selection:
        """The series that parameters describe; what is wrong with them is noted in them."""
        series = params.read(ElexonSeries)
        dataset = DATASETS.get(series.dataset)
        if dataset is None:
            return cls("", "", (), vintages=True)
        value = dataset.values[0] if series.value is None else series.value
        if value not in dataset.values:
            near = get_close_matches(value, dataset.values, n=1)
            advice = f"; did you mean {near[0]!r}?" if near else ""
            params.add_fault(
                f"value must be one of {', '.join(dataset.values)}, not {value!r}{advice}"
            )
        filters: list[tuple[str, str]] = []
        for field in KNOWN_TEXTS:
            text = getattr(series, field)
            if field not in dataset.key_fields and text is not None:
                params.add_fault(f"{field} does not go with dataset {series.dataset}")
            elif field in dataset.key_fields and params.first_given(field) is None:
                params.add_fault(f"{field} is missing")
            elif text is not None:
                filters.append((field, text))
        return cls(series.dataset, value, tuple(filters), series.vintages)

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
