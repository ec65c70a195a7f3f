"""Selects series of market documents by their attributes, and collects their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from dataportal.plugins.data_sources.entsoe_plugin.curves import interval_length, intervals
from dataportal.plugins.parameters import Parameters, about, matching, one_of
from dataportal.statements import same_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from dataportal.plugins.data_sources.entsoe_plugin.documents import MarketSeries
    from dataportal.plugins.readers.parameters import Params
    from dataportal.plugins.readers.times import Window

    _Created = tuple[str, int] | None

PSR_TYPES = {
    "biomass": "B01",
    "lignite": "B02",
    "coal_gas": "B03",
    "gas": "B04",
    "hard_coal": "B05",
    "oil": "B06",
    "oil_shale": "B07",
    "peat": "B08",
    "geothermal": "B09",
    "pumped_storage": "B10",
    "run_of_river": "B11",
    "reservoir": "B12",
    "marine": "B13",
    "nuclear": "B14",
    "other_renewable": "B15",
    "solar": "B16",
    "waste": "B17",
    "wind_offshore": "B18",
    "wind_onshore": "B19",
    "other": "B20",
    "storage": "B25",
}
"""The types of power plants by the names that `psr_type` takes beside their codes."""

RESOLUTIONS = ("PT1M", "PT15M", "PT30M", "PT60M", "P1D", "P7D", "P1M", "P1Y")
_CATEGORY = "imbalance_Price.category"
_RESOURCES = ("MktPSRType/PowerSystemResources/mRID", "registeredResource.mRID")
_IN, _OUT = "inBiddingZone_Domain.mRID", "outBiddingZone_Domain.mRID"


class SelectionParameters(Parameters):
    """What tells one series from the others in a document."""

    psr_type: Annotated[
        str,
        about(
            "the type of power plants: biomass, lignite, coal_gas, gas, hard_coal, oil, "
            "geothermal, pumped_storage, run_of_river, reservoir, nuclear, other_renewable, "
            "solar, waste, wind_offshore, wind_onshore, other, storage …, or its code, B01 to B25",
            examples=tuple(PSR_TYPES),
        ),
    ] = ""
    direction: Annotated[
        str | None,
        one_of(("generation", "consumption")),
        about("of generation: `generation`, or `consumption`, such as that of pumps (generation)"),
    ] = None
    business_type: Annotated[
        str, about("of forecasts with bounds: A60 the least, A61 the most")
    ] = ""
    sequence: Annotated[
        str | None, about("of prices: which auction of several for the same hours (1)")
    ] = None
    category: Annotated[
        str, about("of imbalance prices: A04 excess balance, A05 insufficient balance")
    ] = ""
    flow: Annotated[str, about("of imbalance volumes: A01 up, A02 down")] = ""
    resource: Annotated[str, about("of `generation_per_unit`: the code of the unit")] = ""
    currency: Annotated[
        str,
        about(
            "of prices: EUR, PLN …; intervals in another one are none of the series (the only one "
            "that comes)"
        ),
        matching("[A-Za-z]{3}|", "three letters such as EUR or PLN"),
    ] = ""
    unit: Annotated[
        str,
        about(
            "the unit as the platform writes it: MAW for megawatts, MWH for megawatt-hours (the "
            "only one that comes)"
        ),
    ] = ""
    resolution: Annotated[
        str | None,
        one_of(RESOLUTIONS),
        about(
            "PT15M, PT30M, PT60M, P1D, P7D, P1M or P1Y only (each interval as it comes; the finer "
            "one where one time comes in two)"
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What tells one series from the others in a document; "" takes any.

    - `psr_type`: the type of power plants, a name such as solar or a code such as B16.
    - `direction`: generation (the default) or consumption, such as that of pumps.
    - `business_type`: such as A60 for the least and A61 for the most.
    - `sequence`: of several auctions for the same time, from 1; one without a number fits any.
    - `category`: of an imbalance price: A04 excess balance, A05 insufficient balance.
    - `flow`: of an imbalance volume: A01 up, A02 down.
    - `resource`: the code of a unit.
    - `currency`: of prices, such as EUR; intervals in another one are not of the series.
    - `unit`: what values, or prices, are of, as the platform writes it: MAW, MWH.
    - `resolution`: without it every interval is taken as it comes, and where one time comes in two
      resolutions the finer one.
    """

    psr_type: str = ""
    direction: str = ""
    business_type: str = ""
    sequence: str = ""
    category: str = ""
    flow: str = ""
    resource: str = ""
    resolution: str = ""
    currency: str = ""
    unit: str = ""

    @classmethod
    def read(cls, params: Params, *, directional: bool, sequence: str) -> Selection:
        """The selection that parameters describe; what is wrong with them is noted in them.

        Args:
            params: of the series.
            directional: whether generation and consumption come together.
            sequence: the auction that is meant if they name none.
        """
        given = params.read(SelectionParameters)
        psr_type, direction = given.psr_type, given.direction
        code = PSR_TYPES.get(psr_type.lower().replace("-", "_"), psr_type.upper())
        if psr_type and code not in PSR_TYPES.values():
            known = ", ".join(f"{name} ({code})" for name, code in PSR_TYPES.items())
            params.add_fault(f"psr_type must be one of {known}, not {psr_type!r}")
        if direction and not directional:
            params.add_fault("direction goes with generation only")
        return cls(
            psr_type=code,
            direction=direction or ("generation" if directional else ""),
            business_type=given.business_type,
            sequence=sequence if given.sequence is None else given.sequence,
            category=given.category,
            flow=given.flow,
            resource=given.resource,
            resolution=given.resolution or "",
            currency=given.currency.upper(),
            unit=given.unit.upper(),
        )


class SeriesExtraction:
    """The intervals of one series that were taken from market documents so far."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        # of each interval its length, the number of its identity, its value and its document's time
        self._values: dict[datetime, tuple[timedelta, int, str, _Created]] = {}
        # of those that came more than once the other values
        self._repeated: dict[datetime, list[tuple[str, _Created]]] = {}
        # of those that began before the window and reach into it
        self._ends: dict[datetime, datetime] = {}
        self._before = self._after = 0
        self._identities: list[Mapping[str, str]] = []
        self._has_match = False
        # the units of what fits, and of the intervals that only their unit keeps out
        self._units: list[str] = []
        self._other_units: dict[datetime, str] = {}
        self._resolutions: dict[timedelta, str] = {}
        self._other_texts: dict[str, set[str]] = {}

    @property
    def columns(self) -> dict[str, Any]:
        """The intervals in order of time, as a plugin returns them.

        What came more than once stands behind: the run settles it. A newer document revises an
        older one.
        """
        coarser = self._coarser_starts()
        times = sorted(self._values.keys() - coarser)
        columns: dict[str, Any] = {"ts": times, "value": [self._values[ts][2] for ts in times]}
        before = self._before + len(coarser)
        if self._repeated:
            columns["revised_at"] = [self._values[ts][3] for ts in times]
            for ts, others in self._repeated.items():
                if ts in coarser:
                    before += len(others)
                    continue
                for text, created in others:
                    columns["ts"].append(ts)
                    columns["value"].append(text)
                    columns["revised_at"].append(created)
        if self._ends:
            columns["end"] = [self._ends.get(ts) for ts in times]
        if before or self._after:
            columns["outside"] = {"before": before, "after": self._after}
        if self._units:
            columns["unit"] = self._units[0]
        if in_others := self._other_units.keys() - self._values.keys():
            units = sorted({self._other_units[ts] for ts in in_others})
            reason = f"the answer names them in {' and '.join(units)}"
            columns["withdrawn"] = {"ts": sorted(in_others), "reason": reason}
        columns["resolutions"] = list(self._resolution_changes(times))
        return columns

    def _coarser_starts(self) -> set[datetime]:
        """Where intervals begin before the window within which a finer one begins.

        The finer ones that began with them lie before the window, and they would stand in the place
        of those.
        """
        return {
            ts
            for ts, end in self._ends.items()
            if any(
                ts < other < end and length < self._values[ts][0]
                for other, (length, *_) in self._values.items()
            )
        }

    @property
    def several_units(self) -> str:
        """Why the intervals are no series, if they are in more than one unit; else "".

        A zone changes its currency from one day to the next.
        """
        if len(self._units) < 2:  # noqa: PLR2004 - that is several
            return ""
        units = " and in ".join(self._units)
        return f"values in {units}: say which is meant, with currency or unit"

    @property
    def mismatch(self) -> str:
        """Why no series of the documents fits, although there are such series; "" if one does.

        An answer that has changed, or a parameter that fits nothing, must not look like silence.
        """
        if self._has_match or not self._other_texts:
            return ""
        return "; ".join(
            f"{name} {getattr(self._selection, name)}, but {', '.join(sorted(texts)) or 'none'}"
            for name, texts in self._other_texts.items()
        )

    def add(
        self,
        series: MarketSeries,
        value: str,
        *,
        window: Window,
        zones: Sequence[ZoneInfo],
        created: _Created = None,
    ) -> None:
        """Take the intervals in the window from a series of a document, if it fits the selection.

        Args:
            series: any of a document.
            value: the local name of the value in a Point.
            window: other times are left out.
            zones: see `intervals`.
            created: when its document was made, and which revision it is.

        Raises:
            ValueError: the series makes no sense, or contradicts another; the text goes on
                after "has".
        """
        if not self._fits(series):
            return
        if not self._is_in_unit(series):
            self._note_other_unit(series, value, window, zones)
            return
        for period in series.periods:
            if not self._matches("resolution", period.resolution):
                continue
            identities: dict[str, int] = {}
            for category in {fields.get(_CATEGORY, "") for _, fields in period.points}:
                if self._matches("category", category):
                    self._has_match = True
                    identity = {**series.identity, _CATEGORY: category}
                    identities[category] = self._identity_number(identity)
            found = intervals(
                period, value, zones, window, by=_CATEGORY, left_out=self._counter(identities)
            )
            length = interval_length(period.resolution)
            self._resolutions[length] = period.resolution
            if self._add_intervals(found, identities, length, created):
                self._note_unit(series.unit)

    def _add_intervals(
        self,
        found: Iterable[tuple[datetime, datetime | None, str, str]],
        identities: Mapping[str, int],
        length: timedelta,
        created: _Created,
    ) -> bool:
        """Add those of the selected categories; whether there are any."""
        has_some = False
        for ts, end, text, category in found:
            if category in identities:
                has_some = True
                self._add_value(ts, (length, identities[category], text, created))
                if end is not None:
                    self._ends[ts] = end
        return has_some

    def _is_in_unit(self, series: MarketSeries) -> bool:
        """Whether a series is in the currency and the unit that are meant; any if none are."""
        selection = self._selection
        pairs = ((selection.currency, series.currency), (selection.unit, series.measure))
        return all(not meant or same_unit(meant, text) for meant, text in pairs)

    def _note_unit(self, unit: str) -> None:
        if unit and not any(same_unit(unit, known) for known in self._units):
            self._units.append(unit)

    def _note_other_unit(
        self, series: MarketSeries, value: str, window: Window, zones: Sequence[ZoneInfo]
    ) -> None:
        for period in series.periods:
            for ts, _, _, category in intervals(period, value, zones, window, by=_CATEGORY):
                if self._selection.category in {"", category}:
                    self._other_units[ts] = series.unit or "no unit"

    def _resolution_changes(self, times: Sequence[datetime]) -> Iterator[tuple[datetime, str]]:
        """Where intervals of another length begin, and how long they are."""
        before = None
        for ts in times:
            length = self._values[ts][0]
            if length != before:
                yield ts, self._resolutions[length]
            before = length

    def _counter(self, categories: Collection[str]) -> Callable[[str, int, int], None]:
        """What counts intervals outside of the window, where their category is selected."""

        def count(category: str, before: int, after: int) -> None:
            if category in categories:
                self._before += before
                self._after += after

        return count

    def _fits(self, series: MarketSeries) -> bool:
        attributes, selection = series.attributes, self._selection
        psr_type = attributes.get("MktPSRType/psrType", "")
        if selection.psr_type and psr_type != selection.psr_type:
            return False
        if selection.direction:
            is_consumption = _OUT in attributes and _IN not in attributes
            if is_consumption != (selection.direction == "consumption"):
                return False
        sequence = attributes.get("classificationSequence_AttributeInstanceComponent.position", "")
        resource = next((attributes[name] for name in _RESOURCES if name in attributes), "")
        return (
            self._matches("business_type", attributes.get("businessType", ""))
            and self._matches("sequence", sequence or selection.sequence)
            and self._matches("flow", attributes.get("flowDirection.direction", ""))
            and self._matches("resource", resource)
        )

    def _matches(self, name: str, text: str) -> bool:
        """Whether the selection takes this text under that name; notes it if it does not."""
        selected = getattr(self._selection, name)
        if not selected or text == selected:
            return True
        self._other_texts.setdefault(name, set()).add(text)
        return False

    def _identity_number(self, identity: Mapping[str, str]) -> int:
        if identity not in self._identities:
            self._identities.append(identity)
        return self._identities.index(identity)

    def _add_value(self, ts: datetime, value: tuple[timedelta, int, str, _Created]) -> None:
        previous = self._values.get(ts)
        if previous is None:
            self._values[ts] = value
            return
        if previous[1] != value[1]:
            raise ValueError(self._contradiction(ts, previous[1], value[1]))
        if value[0] < previous[0]:
            self._values[ts] = value
            self._repeated.pop(ts, None)
        elif value[0] == previous[0]:
            self._repeated.setdefault(ts, []).append(value[2:])

    def _contradiction(self, ts: datetime, number: int, other: int) -> str:
        first, second = self._identities[number], self._identities[other]
        differ = [
            f"{name} ({first.get(name) or 'none'}, {second.get(name) or 'none'})"
            for name in sorted(first.keys() | second.keys())
            if first.get(name) != second.get(name)
        ]
        return (
            f"two series at {ts:%Y-%m-%dT%H:%MZ} that differ in {', '.join(differ)}: "
            "say which is meant"
        )
