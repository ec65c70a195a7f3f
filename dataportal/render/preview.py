"""Shows what `preview` found: the requests, the points of each series, what looks wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.collect.oddities import seen_interval
from dataportal.render.console import can_encode, printable
from dataportal.render.formatting import format_number, format_second, pluralize
from dataportal.render.sparkline import ASCII_BARS, BARS, sparkline
from dataportal.render.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo

    from dataportal.collect.preview import Preview
    from dataportal.observations import Batch, Observations
    from dataportal.series import SeriesDescription

_ENDS = 3
"""So many of the first and of the last points of a series are shown."""
_WIDTH = 60
_MOST_SERIES = 20
_LEFT_OUT = ("duplicates", "rejected", "outside", "nulls")


@dataclass(frozen=True, slots=True)
class PreviewView:
    """The answer of `preview`.

    Attributes:
        preview: what was found.
        zone: the time zone of the output, where the source has none of its own.
    """

    preview: Preview
    zone: tzinfo

    def lines(self, stream: TextIO) -> Iterator[str]:
        """The requests, each series, what was left out, and what looks wrong."""
        preview = self.preview
        window = preview.window
        end = "the newest there is" if window.end is None else format_second(window.end, self.zone)
        start = format_second(window.start, self.zone)
        yield printable(f"{preview.source.name}: from {start} to {end}; a preview stores nothing")
        for request in preview.requests:
            yield printable(
                f"  {request.method} {request.url}: {request.status}, {request.size:,} bytes"
                f"{f' of {request.content_type}' if request.content_type else ''}"
            )
            yield printable(f"    {request.shape}")
        if preview.batch is not None:
            yield from self._series_lines(preview.batch, stream)
            yield ""
            yield _counts_line(preview.batch)
            yield from _left_out_lines(preview.batch)
        if preview.error is not None:
            yield ""
            yield printable(f"no answer can be used: {preview.error}")
        for sentence in preview.oddities:
            yield printable(f"looks wrong: {sentence}")
        if preview.ok:
            yield "nothing looks wrong"

    def document(self) -> Mapping[str, Any]:
        """The same as data."""
        preview, batch = self.preview, self.preview.batch
        return {
            "ok": preview.ok,
            "source": preview.source.name,
            "window": {"start": preview.window.start, "end": preview.window.end},
            "requests": [
                {
                    "method": request.method,
                    "url": request.url,
                    "status": request.status,
                    "bytes": request.size,
                    "content_type": request.content_type or None,
                    "shape": request.shape,
                }
                for request in preview.requests
            ],
            "error": preview.error,
            "received": 0 if batch is None else batch.received,
            **{name: 0 if batch is None else getattr(batch, name) for name in _LEFT_OUT},
            "outside_before": 0 if batch is None else batch.before,
            "outside_after": 0 if batch is None else batch.after,
            "rejections": []
            if batch is None
            else [
                {"series": r.series, "position": r.position, "reason": r.reason}
                for r in batch.rejections
            ],
            "series": []
            if batch is None
            else [
                _series_fields(series, batch.series[series.endpoint_prefix])
                for series in preview.source.series
            ],
            "oddities": list(preview.oddities),
        }

    def _series_lines(self, batch: Batch, stream: TextIO) -> Iterator[str]:
        series = self.preview.source.series
        for description in series[:_MOST_SERIES]:
            yield ""
            observations = batch.series[description.endpoint_prefix]
            yield from self._points(description, observations, stream)
        if (more := len(series) - _MOST_SERIES) > 0:
            yield f"and {more:,} more series: --json has them all"

    def _points(
        self, series: SeriesDescription, observations: Observations, stream: TextIO
    ) -> Iterator[str]:
        count = len(observations)
        unit = f" {series.unit}" if series.unit else ""
        seen = seen_interval(observations.ts)
        facts = [pluralize(count, "point")]
        facts += [f"every {seen}"] if seen is not None else []
        facts += [f"granularity {series.granularity}"] if series.granularity else []
        yield printable(f"{series.endpoint_prefix}: {', '.join(facts)}")
        if not count:
            return
        bars = BARS if can_encode(stream, BARS) else ASCII_BARS
        yield f"  {sparkline(observations.values, _WIDTH, bars)}"
        zone = self.preview.zone or self.zone
        table = Table(("ts", f"ts in {zone}", f">value{unit}"))
        rows = list(zip(observations.ts, observations.values, strict=True))
        shown = rows if count <= 2 * _ENDS else [*rows[:_ENDS], None, *rows[-_ENDS:]]
        for row in shown:
            if row is None:
                table.add("…" if can_encode(stream, "…") else "...", "", "")
                continue
            ts, value = row
            local = ts.astimezone(zone).isoformat(" ", "minutes")
            utc = ts.strftime("%Y-%m-%d %H:%MZ")
            table.add(utc, local, format_number(value) or "no value")
        for line in table.lines(stream):
            yield f"  {line}"


def _counts_line(batch: Batch) -> str:
    left_out = [f"{count:,} {name}" for name in _LEFT_OUT if (count := getattr(batch, name))]
    return f"{pluralize(batch.received, 'point')} received" + (
        f", of which {', '.join(left_out)}" if left_out else ""
    )


def _left_out_lines(batch: Batch) -> Iterator[str]:
    """Why points were left out, by kind; of those that cannot be taken the first few."""
    if batch.outside:
        yield f"  outside: {batch.before:,} before the window, {batch.after:,} after it"
    if batch.duplicates:
        yield "  duplicates: the same time and the same value once more"
    if batch.nulls:
        yield "  nulls: no value, beside a number of the same time"
    for rejection in batch.rejections[:_ENDS]:
        where = f"series {rejection.series!r}, point {rejection.position}"
        yield printable(f"  rejected: {where}: {rejection.reason}")
    if (more := batch.rejected - len(batch.rejections[:_ENDS])) > 0:
        yield f"  rejected: {more:,} more"


def _series_fields(series: SeriesDescription, observations: Observations) -> dict[str, Any]:
    rows = list(zip(observations.ts, observations.values, strict=True))
    seen = seen_interval(observations.ts)
    return {
        "series": series.endpoint_prefix,
        "points": len(rows),
        "interval": None if seen is None else str(seen),
        "granularity": series.granularity,
        "unit": series.unit,
        "first": [{"ts": ts, "value": value} for ts, value in rows[:_ENDS]],
        "last": [{"ts": ts, "value": value} for ts, value in rows[-_ENDS:]],
    }
