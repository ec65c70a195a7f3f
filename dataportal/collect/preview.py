"""Asks a source's provider as a run would, and stores nothing: what came, and what looks wrong."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataportal.collect.answer_shape import answer_shape
from dataportal.collect.children import children, end_children
from dataportal.collect.clean_answer import clean_answer
from dataportal.collect.oddities import (
    oddities,
    written_offsets,
    zone_names_in,
    zone_oddities,
)
from dataportal.collect.plugin_call import call_plugin
from dataportal.collect.windows import plan_backfill, plan_scheduled_run
from dataportal.config import build_plugin
from dataportal.errors import DataportalError
from dataportal.plugins.http import HttpClient
from dataportal.redaction import harmless, redact
from dataportal.store.records import SeriesProgress
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from dataportal.config import Source
    from dataportal.observations import Batch
    from dataportal.plugins.http import Answer
    from dataportal.schedule import Slice


@dataclass(frozen=True, slots=True)
class StoredAnswers:
    """What the database has of the series of a source.

    Attributes:
        values: at the times of an answer, by series and ts.
        units: those that the answers of series name, by series.
    """

    values: Mapping[str, Mapping[datetime, float]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestMade:
    """A request and its answer: a masked address, the status, bytes unpacked, content and shape."""

    method: str
    url: str
    status: int
    size: int
    content_type: str
    shape: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a source's provider answered.

    Attributes:
        source: the source.
        window: what was asked for.
        zone: of times without an offset.
        requests: as they were answered.
        batch: the clean answer; None where there is none.
        error: why there is none.
        oddities: what looks wrong, each one sentence.
    """

    source: Source
    window: Slice
    zone: ZoneInfo | None
    requests: Sequence[RequestMade]
    batch: Batch | None
    error: str | None
    oddities: Sequence[str]

    @property
    def ok(self) -> bool:
        """Whether there is an answer, and nothing about it looks wrong."""
        return self.batch is not None and not self.oddities


async def preview(
    source: Source,
    *,
    start: datetime | None,
    end: datetime | None,
    env: Mapping[str, str],
    root: Path,
    stored: Callable[[Batch], StoredAnswers],
    on_slow: Callable[[str], None],
    now: Callable[[], datetime] = utc_now,
) -> Preview:
    """Ask for one slice, clean the answer and look at it. Nothing is tried twice.

    Args:
        source: the source.
        start: the start of the window; None for as far back as a scheduled run asks.
        end: its end; None for the newest there is.
        env: the environment, for `${VAR}`.
        root: the folder of sources.yaml.
        stored: what the database has of the series of an answer, where there is one.
        on_slow: called now and then while it takes long, with what it waits for.
        now: the clock.

    Raises:
        ConfigurationError: the plugin cannot be made of the entry.
    """
    before = children()
    built = build_plugin(source, env=env, root=root)
    limits = built.limits
    if start is None:
        # as a run of a source that is up to date
        progress = SeriesProgress(newest=now(), advanced_at=now(), history_asked=True)
        up_to_date = {series.endpoint_prefix: progress for series in source.series}
        _, (window, *_) = plan_scheduled_run(source, up_to_date, limits=limits, now=now())
    else:
        _, (window, *_) = plan_backfill(source, start, end, limits=limits, now=now())
    requests: list[RequestMade] = []
    zones: set[str] = set()
    offsets: set[tuple[str, str]] = set()

    def note(answer: Answer) -> None:
        requests.append(_request_made(answer))
        zones.update(zone_names_in(answer.body))
        offsets.update(written_offsets(answer.body))

    http = HttpClient(on_answer=note, now=now)
    batch, error = None, None
    try:
        answer = await call_plugin(
            built,
            source,
            window,
            http=http,
            seconds=limits.timeout.total_seconds(),
            on_slow=on_slow,
        )
        batch = clean_answer(answer, source, limits, window, now=now(), units={})
    except DataportalError as fault:
        error = harmless(redact(str(fault)))
    finally:
        await http.aclose()
        end_children(before)
    sentences: list[str] = []
    if batch is not None:
        known = await asyncio.to_thread(stored, batch)
        sentences = list(
            oddities(batch, source, zone=limits.zone, stored=known.values, units=known.units)
        )
        sentences += zone_oddities(limits.zone, zones, offsets)
    return Preview(source, window, limits.zone, requests, batch, error, sentences)


def _request_made(answer: Answer) -> RequestMade:
    kind = answer.headers.get("content-type", "")
    shape = redact(answer.hide(answer_shape(answer.body)))
    return RequestMade(answer.method, answer.url, answer.status, len(answer.body), kind, shape)
