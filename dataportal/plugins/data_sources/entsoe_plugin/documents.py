"""Reads market documents of the European electricity market (IEC 62325-351) from ENTSO-E's XML.

A document holds TimeSeries; a TimeSeries says what it is and holds Periods; a Period has a start
and an end in UTC, a resolution and Points with a position from 1 and a value. Elements are known by
their local names, because the namespaces carry versions.

An Acknowledgement_MarketDocument holds no series but the reasons why there are none. A TimeSeries
without a document around it counts as one.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dataportal.plugins.http.response import Answer

ACKNOWLEDGEMENT = "Acknowledgement_MarketDocument"
_ROOT, _SERIES = "_MarketDocument", "TimeSeries"
_POSITION = re.compile(r"0*[1-9][0-9]{0,8}", re.ASCII)
# neither tells what a series is, nor is the same in two documents about it
_NOT_OF_IDENTITY = {"mRID", "curveType"}
_MEASURES = ("price_Measure_Unit.name", "quantity_Measure_Unit.name")


@dataclass(frozen=True, slots=True)
class Period:
    """Values of the intervals of one length in a range of time.

    Attributes:
        start: where the first interval begins.
        end: where the last one ends.
        resolution: the length of an interval in ISO 8601, such as PT15M.
        curve: how positions left out are meant: A01, A03.
        points: the position of each Point and its other elements, by local name.
    """

    start: datetime
    end: datetime
    resolution: str
    curve: str
    points: Sequence[tuple[int, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class MarketSeries:
    """One TimeSeries.

    Attributes:
        attributes: its elements other than Periods by local name, or by path for what lies deeper,
            such as `MktPSRType/psrType`.
        periods: in the order of the document.
    """

    attributes: Mapping[str, str]
    periods: list[Period]

    @property
    def identity(self) -> Mapping[str, str]:
        """The attributes that tell it from other series about the same time."""
        return {
            name: text for name, text in self.attributes.items() if name not in _NOT_OF_IDENTITY
        }

    @property
    def currency(self) -> str:
        """Of its prices, such as EUR; "" for what has none."""
        return self.attributes.get("currency_Unit.name", "")

    @property
    def measure(self) -> str:
        """What its values, or its prices, are of: MAW for megawatts, MWH for megawatt-hours."""
        return next((self.attributes[name] for name in _MEASURES if name in self.attributes), "")

    @property
    def unit(self) -> str:
        """Of its values, as the document writes it: MAW, EUR/MWH; "" where it does not say."""
        return "/".join(filter(None, (self.currency, self.measure)))


@dataclass(slots=True)
class MarketDocument:
    """One document.

    Attributes:
        kind: the local name of its root.
        created: `createdDateTime` and `revisionNumber`, for the order of documents.
        series: its TimeSeries.
        reasons: codes and texts of an acknowledgement.
    """

    kind: str
    created: tuple[str, int] = ("", 0)
    series: list[MarketSeries] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def read_document(body: bytes, answer: Answer) -> MarketDocument:
    """The document that an answer, or a file in it, holds.

    Args:
        body: the XML.
        answer: where it came from, for messages.

    Raises:
        BadDataError: it is no XML, no market document, or not laid out as one.
    """
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    try:
        # series are read one by one and let go: the tree of a year would fill the memory
        return _document(ElementTree.iterparse(io.BytesIO(body), ("start", "end")), answer)
    except ParseError as error:
        kind = answer.file_kind
        raise answer.bad(f"is {kind}, not XML" if kind else f"is not XML ({error})") from None
    except (DefusedXmlException, LookupError) as error:
        raise answer.bad(f"is XML that is not read ({type(error).__name__})") from None
    except RecursionError:
        raise answer.bad("is XML that is nested too deeply") from None
    except _Malformed as error:
        raise answer.bad(f"is not laid out as a market document: {error}") from None


class _Malformed(Exception):  # noqa: N818 - the message goes on: "a Period without an end"
    """An element that is missing or makes no sense."""


def _document(events: Iterator[tuple[str, Element]], answer: Answer) -> MarketDocument:
    document: MarketDocument | None = None
    created, revision, depth = "", "", 0
    for event, element in events:
        depth += 1 if event == "start" else -1
        if document is None:
            document = MarketDocument(_local(element))
            if document.kind != _SERIES and not document.kind.endswith(_ROOT):
                raise answer.bad(f"is no market document but <{harmless(document.kind, 60)}>")
        if event == "start" or depth != (document.kind != _SERIES):
            continue
        match _local(element):
            case "TimeSeries":
                document.series.append(_series(element))
            case "Reason":
                document.reasons.append("; ".join(text for _, text in _leaves(element, "")))
            case "createdDateTime":
                created = (element.text or "").strip()
            case "revisionNumber":
                revision = (element.text or "").strip()
        element.clear()
    if document is None:
        raise _Malformed("it has no elements")
    document.created = (created, int(revision) if _POSITION.fullmatch(revision) else 0)
    return document


def _series(element: Element) -> MarketSeries:
    attributes: dict[str, str] = {}
    periods = []
    for child in element:
        if _local(child) == "Period":
            periods.append(child)
        else:
            attributes.update(_leaves(child, ""))
    curve = attributes.get("curveType", "A01")
    return MarketSeries(attributes, [_period(period, curve) for period in periods])


def _leaves(element: Element, path: str) -> Iterator[tuple[str, str]]:
    path += _local(element)
    if not len(element):
        yield path, (element.text or "").strip()
    for child in element:
        yield from _leaves(child, path + "/")


def _period(element: Element, curve: str) -> Period:
    points: list[tuple[int, Mapping[str, str]]] = []
    interval: Element | None = None
    for child in element:
        match _local(child):
            case "Point":
                fields = {_local(leaf): (leaf.text or "").strip() for leaf in child}
                position = fields.pop("position", "")
                if not _POSITION.fullmatch(position):
                    raise _Malformed(f"a Point with the position {harmless(position, 20)!r}")
                points.append((int(position), fields))
            case "timeInterval":
                interval = child
    if interval is None:
        raise _Malformed("a Period without a timeInterval")
    start, end = _instant(interval, "start"), _instant(interval, "end")
    if end <= start:
        raise _Malformed(f"a Period that ends at {end:%Y-%m-%dT%H:%MZ}, where it begins or before")
    return Period(start, end, _text(element, "resolution"), curve, points)


def _instant(element: Element, name: str) -> datetime:
    text = _text(element, name)
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _Malformed(f"{name} is {harmless(text, 40)!r}, not a time in UTC")


def _text(element: Element, name: str) -> str:
    for child in element:
        if _local(child) == name:
            return (child.text or "").strip()
    raise _Malformed(f"<{_local(element)}> has no <{name}>")


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
