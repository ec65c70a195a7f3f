"""The data sets of Elexon Insights, and the requests that bring a window of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataportal.plugins.readers.times import Window

_LONDON = ZoneInfo("Europe/London")
_BEGINNING = datetime(2009, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_LATE = 2 * _DAY
"""How long after its interval a value is looked for, where only publications can be asked for."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """How a data set is requested, and what its rows hold.

    Attributes:
        path: of its endpoint; those that end in /stream have no limit on the range.
        values: the fields that can be a series.
        key_fields: the fields that tell its series apart.
        requested_by: a range of which times: publication, settlement (days) or interval; or day,
            for the days of settlement one by one.
        published: the field that tells when a row was published; "" if none does.
        lead: how long before its interval a value may be published.
        longest: the longest range of one request.
        documented: the endpoint to ask where `path`, which the API's documentation does not name,
            is not there; "" where it does.
    """

    path: str
    values: tuple[str, ...]
    key_fields: tuple[str, ...] = ()
    requested_by: str = "publication"
    published: str = "publishTime"
    lead: timedelta = timedelta()
    longest: timedelta = 31 * _DAY
    documented: str = ""


_SYSTEM_PRICES = (
    *("systemSellPrice", "systemBuyPrice", "netImbalanceVolume", "reserveScarcityPrice"),
    *("sellPriceAdjustment", "buyPriceAdjustment", "replacementPrice"),
    *("totalAcceptedOfferVolume", "totalAcceptedBidVolume"),
    *("totalAdjustmentSellVolume", "totalAdjustmentBuyVolume"),
)
DATASETS: dict[str, Dataset] = {
    "FUELHH": Dataset("datasets/FUELHH/stream", ("generation",), ("fuelType",), "settlement"),
    "FUELINST": Dataset(
        "datasets/FUELINST/stream", ("generation",), ("fuelType",), "settlement", longest=7 * _DAY
    ),
    "AGPT": Dataset("datasets/AGPT/stream", ("quantity",), ("psrType",), longest=4 * _DAY),
    "INDO": Dataset("datasets/INDO/stream", ("demand",), documented="datasets/INDO"),
    "ITSDO": Dataset("datasets/ITSDO/stream", ("demand",), documented="datasets/ITSDO"),
    "NDF": Dataset("datasets/NDF/stream", ("demand",), ("boundary",), lead=2 * _DAY),
    "TSDF": Dataset("datasets/TSDF/stream", ("demand",), ("boundary",), lead=2 * _DAY),
    "WINDFOR": Dataset("datasets/WINDFOR/stream", ("generation",), lead=4 * _DAY),
    "MID": Dataset(
        "datasets/MID/stream", ("price", "volume"), ("dataProvider",), "interval", published=""
    ),
    "system_prices": Dataset(
        "balancing/settlement/system-prices",
        _SYSTEM_PRICES,
        requested_by="day",
        published="createdDateTime",
        longest=_DAY,
    ),
}
"""By the names that `dataset` takes."""
KNOWN_TEXTS = {
    "fuelType": {
        *("BIOMASS", "CCGT", "COAL", "NPSHYD", "NUCLEAR", "OCGT", "OIL", "OTHER", "PS", "WIND"),
        *("INTELEC", "INTEW", "INTFR", "INTGRNL", "INTIFA2", "INTIRL", "INTNED", "INTNEM"),
        *("INTNSL", "INTVKL"),
    },
    "psrType": {
        *("Biomass", "Fossil Gas", "Fossil Hard coal", "Fossil Oil", "Nuclear", "Other", "Solar"),
        *("Hydro Pumped Storage", "Hydro Run-of-river and poundage"),
        *("Wind Offshore", "Wind Onshore"),
    },
    "boundary": {"N", *(f"B{number}" for number in range(1, 18))},
    "dataProvider": {"APXMIDP", "N2EXMIDP"},
}
"""What stood in the key fields when this was written; more may come."""


def requests(dataset: Dataset, window: Window) -> Iterator[tuple[str, dict[str, str]]]:
    """The paths and queries of the requests that bring everything of the window, and more."""
    present = utc_now()
    start, last = max(window.start, _BEGINNING), min(window.end or present, present)

    def end_with(margin: timedelta) -> datetime:
        return min(last + margin, present)

    match dataset.requested_by:
        case "day":
            for day, _ in _days(start, last, 1):
                yield f"/{day}", {"format": "json"}
        case "settlement" if window.end is not None:
            # a day more at both ends: some settlement dates were a day off
            for first, until in _days(start - _DAY, end_with(_DAY), dataset.longest // _DAY):
                yield "", {"settlementDateFrom": first, "settlementDateTo": until}
        case "interval":
            for since, until in _ranges(start, end_with(_DAY), dataset.longest):
                yield "", {"from": since, "to": until}
        case _:
            # of an open window everything published since it began, revisions among it
            for since, until in _ranges(start - dataset.lead, end_with(_LATE), dataset.longest):
                yield "", {"publishDateTimeFrom": since, "publishDateTimeTo": until}


def _days(start: datetime, end: datetime, count: int) -> Iterator[tuple[str, str]]:
    """The days in London from one instant to another, `count` at a time, both included."""
    first, last = (instant.astimezone(_LONDON).date() for instant in (start, end))
    while first <= last:
        yield first.isoformat(), min(first + (count - 1) * _DAY, last).isoformat()
        first += count * _DAY


def _ranges(start: datetime, end: datetime, longest: timedelta) -> Iterator[tuple[str, str]]:
    while start < end:
        until = min(start + longest, end)
        yield f"{start:%Y-%m-%dT%H:%M:%SZ}", f"{until:%Y-%m-%dT%H:%M:%SZ}"
        start = until
