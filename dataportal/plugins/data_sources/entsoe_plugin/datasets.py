"""The data items of ENTSO-E's platform by plain names, and the requests for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from dataportal.plugins.data_sources.entsoe_plugin.areas import MARKET_ZONE, Area, find_area
from dataportal.plugins.data_sources.entsoe_plugin.series import Selection
from dataportal.plugins.parameters import Parameters, about, one_of, written_as
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataportal.plugins.readers.parameters import Params
    from dataportal.plugins.readers.times import Window

_BEGINNING = datetime(2014, 12, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_YEAR = timedelta(days=365)
_SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"


@dataclass(frozen=True, slots=True)
class Dataset:
    """How one of the platform's data items is requested, and how it is answered.

    Attributes:
        query: the parameters that name it.
        areas: the parameters that take the zone; for a border the zone from which and the one to
            which.
        value: the element of a Point with its value.
        needs: the fields of `Selection` that a series has to set beside the zone.
        is_border: whether it is about two zones.
        directional: whether consumption comes with generation.
        ahead: how far past now an open window reaches.
        longest: the longest window of a request.
        paged: whether more than 100 series come in pages.
    """

    query: Mapping[str, str]
    areas: tuple[str, ...] = ("in_Domain",)
    value: str = "quantity"
    needs: tuple[str, ...] = ()
    is_border: bool = False
    directional: bool = False
    ahead: timedelta = timedelta(days=2)
    longest: timedelta = _YEAR
    paged: bool = False


def _item(document: str, process: str = "", **more: str) -> dict[str, str]:
    others = {name.replace("__", "."): value for name, value in more.items()}
    return {"documentType": document} | ({"processType": process} if process else {}) | others


def _load(process: str, days: int, needs: tuple[str, ...] = ()) -> Dataset:
    areas = ("outBiddingZone_Domain",)
    return Dataset(_item("A65", process), areas, needs=needs, ahead=timedelta(days=days))


def _border(query: Mapping[str, str], days: int = 2) -> Dataset:
    areas = ("out_Domain", "in_Domain")
    return Dataset(query, areas, is_border=True, ahead=timedelta(days=days))


def _price(contract: str) -> Dataset:
    query = _item("A44", contract_MarketAgreement__type=contract)
    return Dataset(query, ("in_Domain", "out_Domain"), "price.amount", paged=True)


def _balance(document: str, value: str, needs: tuple[str, ...] = ()) -> Dataset:
    return Dataset(_item(document), ("controlArea_Domain",), value, needs, paged=True)


_PSR, _BOUND = ("psr_type",), ("business_type",)
DATASETS: dict[str, Dataset] = {
    "load": _load("A16", 2),
    "load_forecast": _load("A01", 2),
    "load_forecast_week": _load("A31", 15, _BOUND),
    "load_forecast_month": _load("A32", 62, _BOUND),
    "load_forecast_year": _load("A33", 365, _BOUND),
    "generation": Dataset(_item("A75", "A16"), needs=_PSR, directional=True),
    "generation_per_unit": Dataset(
        _item("A73", "A16"), needs=("resource",), directional=True, longest=timedelta(days=1)
    ),
    "generation_forecast": Dataset(_item("A71", "A01"), directional=True),
    "wind_solar_forecast": Dataset(_item("A69", "A01"), needs=_PSR),
    "wind_solar_forecast_intraday": Dataset(_item("A69", "A40"), needs=_PSR),
    "wind_solar_forecast_current": Dataset(_item("A69", "A18"), needs=_PSR),
    "installed_capacity": Dataset(_item("A68", "A33"), needs=_PSR, ahead=_YEAR),
    "reservoirs": Dataset(_item("A72", "A16")),
    "day_ahead_prices": _price("A01"),
    "intraday_prices": _price("A07"),
    "physical_flows": _border(_item("A11")),
    "scheduled_exchanges": _border(_item("A09", contract_MarketAgreement__Type="A05")),
    "scheduled_exchanges_day_ahead": _border(_item("A09", contract_MarketAgreement__Type="A01")),
    "transfer_capacity_day": _border(_item("A61", contract_MarketAgreement__Type="A01")),
    "transfer_capacity_week": _border(_item("A61", contract_MarketAgreement__Type="A02"), 15),
    "transfer_capacity_month": _border(_item("A61", contract_MarketAgreement__Type="A03"), 62),
    "transfer_capacity_year": _border(_item("A61", contract_MarketAgreement__Type="A04"), 365),
    "imbalance_prices": _balance("A85", "imbalance_Price.amount"),
    "imbalance_volumes": _balance("A86", "quantity", ("flow",)),
}
"""By the names that `dataset` takes."""


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """A request for documents, without its period; equal requests of several series are sent once.

    Attributes:
        name: of the data item.
        query: its parameters.
        zones: the time zones of the areas' days.
    """

    name: str
    query: tuple[tuple[str, str], ...]
    zones: tuple[ZoneInfo, ...] = field(compare=False)

    @property
    def dataset(self) -> Dataset:
        """The data item."""
        return DATASETS[self.name]

    def ranges(self, window: Window) -> Iterator[tuple[datetime, datetime]]:
        """The window in whole hours, cut into ranges that are as long as allowed, oldest first."""
        start = max(window.start, _BEGINNING)
        start -= (start - _BEGINNING) % _HOUR
        end = utc_now() + self.dataset.ahead if window.end is None else window.end
        end += (_BEGINNING - end) % _HOUR
        while start < end:
            until = min(start + self.dataset.longest, end)
            yield start, until
            start = until


class DatasetParameters(Parameters):
    """What is asked for."""

    dataset: Annotated[str, one_of(DATASETS), about("what is asked for, see below")]
    zone: Annotated[
        Area | None,
        written_as(find_area),
        about(
            "a bidding zone, control area or country: DE-LU, FR, NO2, IT-NORTH, DE-AMPRION …, or "
            "any Energy Identification Code"
        ),
    ] = None
    from_zone: Annotated[
        Area | None,
        written_as(find_area),
        about("instead of `zone` for what crosses a border: where from"),
    ] = None
    to_zone: Annotated[Area | None, written_as(find_area), about("and where to")] = None


def read_request(params: Params, *, is_single: bool) -> tuple[DocumentRequest, Selection]:
    """The request that a series' parameters describe, and the selection of its answer.

    Args:
        params: notes what is wrong with them.
        is_single: whether the platform need only send what belongs to this series.
    """
    given = params.read(DatasetParameters)
    name = given.dataset
    dataset = DATASETS.get(name, DATASETS["load"])
    needed = ("from_zone", "to_zone") if dataset.is_border else ("zone",)
    areas: list[Area] = []
    for zone in ("zone", "from_zone", "to_zone"):
        area = getattr(given, zone)
        is_given = params.first_given(zone) is not None
        if zone in needed and not is_given:
            params.add_fault(f"{zone} is missing")
        elif zone not in needed and is_given:
            params.add_fault(f"{zone} does not go with dataset {name}, but {' and '.join(needed)}")
        if zone in needed:
            areas.append(area or Area(""))
    codes = [area.code for area in areas] * (1 if dataset.is_border else len(dataset.areas))
    query = {**dataset.query, **dict(zip(dataset.areas, codes, strict=True))}
    is_auction = dataset.value == "price.amount"
    selection = Selection.read(
        params, directional=dataset.directional, sequence="1" if is_auction else ""
    )
    for parameter in dataset.needs:
        if not getattr(selection, parameter):
            params.add_fault(f"{parameter} is missing, which dataset {name} needs")
    if selection.psr_type and "psr_type" not in dataset.needs:
        params.add_fault(f"psr_type does not go with dataset {name}")
    if is_auction:
        query[_SEQUENCE] = selection.sequence
    if is_single and selection.psr_type:
        query["psrType"] = selection.psr_type
    zones = tuple(ZoneInfo(zone) for zone in dict.fromkeys([*(a.zone for a in areas), MARKET_ZONE]))
    return DocumentRequest(name, tuple(query.items()), zones), selection
