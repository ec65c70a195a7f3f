"""Makes an entry of sources.yaml of an answer: names, schedule, address, window, series."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dataportal.drafts.address import (
    Address,
    address_of,
    describe_window,
    paging_of,
    slug,
    source_name,
)
from dataportal.drafts.entry_text import Entry, entry_module
from dataportal.drafts.readings import read_answer
from dataportal.granularity import interval_length
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from dataportal.drafts.readings import Interpretation
    from dataportal.plugins.http import Answer

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_SHORTEST_SCHEDULE = timedelta(minutes=5)
_LONGEST_NAME = 80
_LONGEST_WORD = 40


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says beforehand.

    Attributes:
        name: of the source; empty to make one up.
        zone: of local times; empty if not said.
        url: where a file comes from; empty if not said.
        headers: sent with each request.
        most_series: so many series are named.
        taken: names of sources and series that are there already.
    """

    name: str = ""
    zone: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    most_series: int = 200
    taken: Collection[str] = ()


@dataclass(slots=True)
class Draft:
    """An entry, and what it read in the answer that it was made of.

    Attributes:
        entry: for sources.yaml.
        interpretation: how the answer is read.
        variables: environment variables that the entry needs, and what each is.
        names: of the series, in the order of `interpretation.series`.
    """

    entry: Entry
    interpretation: Interpretation
    variables: Mapping[str, str]
    names: list[str]


def make_draft(answer: Answer, wishes: Wishes, *, stem: str, now: datetime) -> Draft:
    """The draft of an entry.

    Args:
        answer: what came.
        wishes: what the user says beforehand; `url` is that of the answer, as the user wrote it.
        stem: of the name of the file, where it is one.
        now: the present.

    Raises:
        BadDataError: the answer has nothing that can be drafted.
    """
    interpretation = read_answer(answer, zone=wishes.zone, most_series=wishes.most_series)
    zone = wishes.zone or interpretation.zone
    is_group = len(interpretation.series) > 1
    address = address_of(wishes.url, wishes.headers) if wishes.url else Address("TODO")
    further = describe_window(address, zone)
    paging, why_paged = paging_of(
        address, interpretation.content, interpretation.rows, answer.headers.get("link", "")
    )
    name = _unique(wishes.name or source_name(wishes.url, stem), {*wishes.taken})
    at = "request_params" if is_group else "default_params"
    notes = {f"{at}.{key}": text for key, text in interpretation.notes.items() if key != "timezone"}
    notes.update({f"{at}.{key}": text for key, text in address.notes.items()})
    keys: dict[str, Any] = entry_module(interpretation.kind, is_group=is_group)
    keys["schedule"] = _schedule(interpretation.granularity)
    notes["schedule"] = "how often to ask: a guess"
    _say_zone(keys, notes, interpretation, wishes.zone)
    horizon = _horizon(interpretation, now)
    if horizon is not None:
        keys["forecast_horizon"] = format_duration(horizon)
        notes["forecast_horizon"] = "the answer reaches into the future"
    if address.variables:
        keys["requires_env"] = [*address.variables]
    params: dict[str, Any] = {**address.params, **further}
    if address.url == "TODO":
        notes[f"{at}.url"] = "where the file comes from"
    if paging is not None:
        params["paging"] = paging
        notes[f"{at}.paging"] = why_paged
    params.update(interpretation.params)
    names = _series_names(
        name, interpretation, {*wishes.taken, name} if is_group else {*wishes.taken}
    )
    shared_unit = interpretation.units.get(-1)
    if is_group:
        keys["request_params"] = params
        keys["timeseries"] = _members(names, interpretation, shared_unit)
        count = len(interpretation.series) + interpretation.left_out
        notes["timeseries"] = f"{count:,} series" + (
            f", of which {len(interpretation.series):,} are here: name others likewise"
            if interpretation.left_out
            else ""
        )
    else:
        keys["metadata"] = _metadata(
            names[0].replace("-", " ").capitalize(), interpretation, shared_unit
        )
        own, _ = interpretation.series[0]
        if own:
            params.setdefault("filter", {}).update({k: v for k, v in own.items() if k != "value"})
            if "value" in own:
                params["value"] = own["value"]
        keys["default_params"] = params
        names = [name]
    if interpretation.granularity is None and not is_group:
        notes["metadata.granularity"] = "how long an interval is, such as 1 hour"
    head = _head(wishes.url or stem, interpretation, zone)
    entry = Entry(name, "request_groups" if is_group else "timeseries", keys, notes, head)
    return Draft(entry, interpretation, address.variables, names)


def _say_zone(
    keys: dict[str, Any], notes: dict[str, str], interpretation: Interpretation, wished: str
) -> None:
    if not interpretation.needs_zone:
        return
    if wished:
        keys["timezone"] = wished
    elif interpretation.zone:
        keys["timezone"] = interpretation.zone
        notes["timezone"] = interpretation.notes.get("timezone", "the answer says so")
    else:
        keys["timezone"] = "TODO"
        notes["timezone"] = (
            "times say no offset: whose clocks, or whose days? Such as Europe/Berlin, or UTC"
            if not interpretation.fitting_zone
            else "times say no offset, and fit clocks that change as in "
            f"{interpretation.fitting_zone}"
        )


def _head(origin: str, interpretation: Interpretation, zone: str) -> list[str]:
    from dataportal.redaction import redact

    head = [f"Drafted from {redact(origin.partition('?')[0])}"]
    batch = interpretation.batch
    if isinstance(batch, str):
        head.append(f"The draft does not read that answer yet: {batch}")
        return head
    times = [ts for series in batch.series.values() for ts in series.ts]
    if times:
        span = f"{min(times):%Y-%m-%d %H:%M}Z to {max(times):%Y-%m-%d %H:%M}Z"
        head[0] += f": {interpretation.points:,} points, {span}" + (
            "" if zone or not interpretation.needs_zone else " if in UTC"
        )
    if batch.rejected:
        first = batch.rejections[0]
        head.append(f"{batch.rejected:,} points cannot be taken, the first: {first.reason[:200]}")
    head += interpretation.remarks
    return head


def _schedule(granularity: str | None) -> str:
    length = interval_length(granularity)
    if length is None or length.months or length.days:
        return "1 day"
    return format_duration(
        min(max(length.rest, _SHORTEST_SCHEDULE), _HOUR if length.rest <= _HOUR else _DAY)
    )


def _horizon(interpretation: Interpretation, now: datetime) -> timedelta | None:
    """How far values reach past now, in whole days; None if they do not."""
    if isinstance(interpretation.batch, str):
        return None
    last = max(
        (ts for series in interpretation.batch.series.values() for ts in series.ts), default=now
    )
    if last <= now:
        return None
    return ((last - now) // _DAY + 1) * _DAY


def _metadata(title: str, interpretation: Interpretation, unit: str | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": title, "granularity": interpretation.granularity or "TODO"}
    if unit:
        metadata["unit"] = unit
    return metadata


def _members(
    names: list[str], interpretation: Interpretation, shared_unit: str | None
) -> list[dict[str, Any]]:
    members = []
    for number, (name, (own, _)) in enumerate(zip(names, interpretation.series, strict=True)):
        metadata: dict[str, Any] = {"granularity": interpretation.granularity or _of_kind(own)}
        unit = interpretation.units.get(number, shared_unit)
        if unit:
            metadata["unit"] = unit
        title = _title(own, interpretation)
        if title:
            metadata = {"name": title, **metadata}
        members.append({"endpoint_prefix": name, "extract_filter": own, "metadata": metadata})
    return members


def _of_kind(own: Mapping[str, Any]) -> str:
    """The length of the periods that a series has alone, where an answer has several."""
    lengths = {
        **dict.fromkeys(("M", "MM"), "1 month"),
        **dict.fromkeys(("Q", "K", "KW"), "3 months"),
        **dict.fromkeys(("A", "JJ"), "1 year"),
        **dict.fromkeys(("W", "U"), "7 days"),
        **dict.fromkeys(("S", "H"), "6 months"),
        "D": "1 day",
    }
    return lengths.get(str(own.get("kind", "")), "TODO")


def _title(own: Mapping[str, Any], interpretation: Interpretation) -> str:
    """What the codes of a series are called in words, where a cube says it."""
    labels = [
        str(interpretation.labels.get(dimension, {}).get(code, ""))
        for dimension, code in own.items()
    ]
    return ", ".join(label for label in labels if label)[:120]


def _series_names(source: str, interpretation: Interpretation, taken: set[str]) -> list[str]:
    names = []
    used = set(taken)
    for own, all_words in interpretation.series:
        words = [word.rpartition(".")[2] if own.get("rows") == word else word for word in all_words]
        parts = [
            _short(slug(re.sub(r"\s*[\[(][^\[\]()]*[\])]\s*$", "", str(word))), _LONGEST_WORD)
            or f"c{number}"
            for number, word in enumerate(words, 1)
        ]
        name = "-".join([source, *parts])[:_LONGEST_NAME].strip("-")
        name = _unique(name, used)
        used.add(name)
        names.append(name)
    return names


def _short(text: str, most: int) -> str:
    """The text, cut between its words."""
    return text if len(text) <= most else text[:most].rpartition("-")[0] or text[:most]


def _unique(name: str, taken: set[str]) -> str:
    """The name, with a number behind it where it is taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
