"""Which series of market documents are wanted, and what was found of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataportal.plugins.data_sources.entsoe_plugin.curves import intervals, length

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from dataportal.plugins.data_sources.entsoe_plugin.documents import MarketSeries
    from dataportal.plugins.readers.parameters import Params
    from dataportal.plugins.readers.times import Window

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


@dataclass(frozen=True, slots=True)
class Selection:
    """What tells the wanted series from the others in a document; "" takes any.

    - `psr_type`: the type of power plants, a name such as solar or a code such as B16.
    - `direction`: generation (the default) or consumption, such as that of pumps.
    - `business_type`: such as A60 for the least and A61 for the most.
    - `sequence`: of several auctions for the same time, from 1; one without a number fits any.
    - `category`: of an imbalance price: A04 excess balance, A05 insufficient balance.
    - `flow`: of an imbalance volume: A01 up, A02 down.
    - `resource`: the code of a unit.
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

    @classmethod
    def of(cls, params: Params, *, directional: bool, sequence: str) -> Selection:
        """What the parameters say.

        Args:
            params: of the series.
            directional: whether generation and consumption come together.
            sequence: which auction is meant if they do not say.
        """
        direction = params.choice("direction", ("generation", "consumption"))
        psr_type = params.text("psr_type")
        code = PSR_TYPES.get(psr_type.lower().replace("-", "_"), psr_type.upper())
        if psr_type and code not in PSR_TYPES.values():
            known = ", ".join(f"{name} ({code})" for name, code in PSR_TYPES.items())
            params.fault(f"psr_type must be one of {known}, not {psr_type!r}")
        if direction and not directional:
            params.fault("direction goes with generation only")
        return cls(
            psr_type=code,
            direction=direction or ("generation" if directional else ""),
            business_type=params.text("business_type"),
            sequence=params.text("sequence", sequence),
            category=params.text("category"),
            flow=params.text("flow"),
            resource=params.text("resource"),
            resolution=params.choice("resolution", RESOLUTIONS),
        )


class Collected:
    """The intervals found of one wanted series."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._found: dict[datetime, tuple[timedelta, int, str]] = {}
        self._identities: list[Mapping[str, str]] = []
        self._met = False
        self._seen: dict[str, set[str]] = {}

    @property
    def columns(self) -> dict[str, list[Any]]:
        """What was found in order of time, as the run takes it."""
        order = sorted(self._found)
        return {"ts": order, "value": [self._found[moment][2] for moment in order]}

    @property
    def missed(self) -> str:
        """Why nothing of a document fits, although it holds such series; "" if something does.

        An answer that has changed, or a parameter that fits nothing, must not look like silence.
        """
        if self._met or not self._seen:
            return ""
        return "; ".join(
            f"{name} {getattr(self._selection, name)}, but {', '.join(sorted(seen)) or 'none'}"
            for name, seen in self._seen.items()
        )

    def add(
        self, series: MarketSeries, value: str, *, window: Window, zones: Sequence[ZoneInfo]
    ) -> None:
        """Take what belongs to the wanted series and lies in the window.

        Args:
            series: any of a document.
            value: the local name of the value in a Point.
            window: other times are left out.
            zones: see `intervals`.

        Raises:
            ValueError: the series makes no sense, or contradicts another; the text goes on
                after "has".
        """
        if not self._fits(series):
            return
        for period in series.periods:
            if not self._is(period.resolution, "resolution"):
                continue
            size = length(period.resolution)
            numbers: dict[str, int] = {}
            for category in {says.get(_CATEGORY, "") for _, says in period.points}:
                if self._is(category, "category"):
                    self._met = True
                    numbers[category] = self._number({**series.identity, _CATEGORY: category})
            for moment, said, category in intervals(period, value, zones, window, by=_CATEGORY):
                if category in numbers:
                    self._take(moment, size, numbers[category], said)

    def _fits(self, series: MarketSeries) -> bool:
        says, wanted = series.says, self._selection
        if wanted.psr_type and says.get("MktPSRType/psrType", "") != wanted.psr_type:
            return False
        if wanted.direction:
            consumes = _OUT in says and _IN not in says
            if consumes != (wanted.direction == "consumption"):
                return False
        sequence = says.get("classificationSequence_AttributeInstanceComponent.position", "")
        resource = next((says[name] for name in _RESOURCES if name in says), "")
        return (
            self._is(says.get("businessType", ""), "business_type")
            and self._is(sequence or wanted.sequence, "sequence")
            and self._is(says.get("flowDirection.direction", ""), "flow")
            and self._is(resource, "resource")
        )

    def _is(self, said: str, name: str) -> bool:
        wanted = getattr(self._selection, name)
        if not wanted or said == wanted:
            return True
        self._seen.setdefault(name, set()).add(said)
        return False

    def _number(self, identity: Mapping[str, str]) -> int:
        if identity not in self._identities:
            self._identities.append(identity)
        return self._identities.index(identity)

    def _take(self, moment: datetime, size: timedelta, number: int, said: str) -> None:
        before = self._found.get(moment)
        if before is not None:
            if before[1] != number:
                raise ValueError(self._contradiction(moment, before[1], number))
            if before[0] < size:
                return
        self._found[moment] = (size, number, said)

    def _contradiction(self, moment: datetime, one: int, other: int) -> str:
        first, second = self._identities[one], self._identities[other]
        differ = [
            f"{name} ({first.get(name) or 'none'}, {second.get(name) or 'none'})"
            for name in sorted(first.keys() | second.keys())
            if first.get(name) != second.get(name)
        ]
        return (
            f"two series at {moment:%Y-%m-%dT%H:%MZ} that differ in {', '.join(differ)}: "
            "say which is meant"
        )
