"""The keys of sources.yaml: what each takes, where it may stand, and what it is for.

One table, so that the reader, its suggestions, the JSON Schema and the documentation cannot differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dataportal.availability import parse_availability
from dataportal.repetitions import Repeated
from dataportal.times import parse_duration, time_zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataportal.availability import Availability

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_YAML_1_1_BOOLEANS = {"yes", "on", "y", "no", "off", "n"}


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its other names, the parser of its value, and a line for people.

    The parser gets what YAML says (None never) and raises ValueError for what it cannot take.
    """

    parse: Callable[[Any], Any]
    about: str
    aliases: tuple[str, ...] = ()


def text(raw: Any) -> str:
    """A text; a number or a boolean counts as the text that it is written as.

    Raises:
        ValueError: a list or a mapping.
    """
    if isinstance(raw, (dict, list)):
        raise ValueError("must be a text")  # noqa: TRY004 - one error for every wrong value
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw).strip()


def duration(raw: Any) -> timedelta:
    """A duration such as `15 minutes`, `7 days`, `PT15M`, `P1D`; 0 needs no unit.

    Raises:
        ValueError: something else.
    """
    written = text(raw)
    return timedelta() if written in {"0", "0.0"} else parse_duration(written)


def positive_duration(raw: Any) -> timedelta:
    """A duration of a second or more.

    Raises:
        ValueError: something else.
    """
    length = duration(raw)
    if length < timedelta(seconds=1):
        raise ValueError("must be a second or more")
    return length


def history_length(raw: Any) -> timedelta | None:
    """A duration, or None for `all`.

    Raises:
        ValueError: something else.
    """
    return None if text(raw).lower() == "all" else duration(raw)


def positive_duration_or_off(raw: Any) -> timedelta | None:
    """A duration of a second or more, or None for `off`.

    Raises:
        ValueError: something else.
    """
    return None if text(raw).lower() == "off" else positive_duration(raw)


def flag(raw: Any) -> bool:
    """`true` or `false`.

    Raises:
        ValueError: something else.
    """
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in _YAML_1_1_BOOLEANS:
        raise ValueError(f"must be true or false; {raw!r} is a text in YAML 1.2")
    raise ValueError("must be true or false")


def texts(raw: Any) -> tuple[str, ...]:
    """A list of texts; a single one counts as a list of one.

    Raises:
        ValueError: something else.
    """
    items = raw if isinstance(raw, list) else [raw]
    if any(item is None or isinstance(item, (dict, list)) for item in items):
        raise ValueError("must be a list of texts")
    return tuple(text(item) for item in items)


def variables(raw: Any) -> tuple[str, ...]:
    """Names of environment variables.

    Raises:
        ValueError: something else.
    """
    names = texts(raw)
    for name in names:
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name!r} is no name of an environment variable; write it without $")
    return names


def zone(raw: Any) -> str:
    """The name of an IANA time zone.

    Raises:
        ValueError: there is none of that name.
    """
    return time_zone(text(raw)).key


def repetition(raw: Any) -> Repeated:
    """What several rows of one time mean: `refuse`, `first` or `last`.

    Raises:
        ValueError: something else.
    """
    try:
        return Repeated(text(raw).lower())
    except ValueError:
        raise ValueError(f"must be one of {', '.join(Repeated)}") from None


def availability(raw: Any) -> Availability:
    """When values are usually available: `ts + 2 hours`, `next day 09:00 Europe/Berlin`.

    Raises:
        ValueError: something else.
    """
    return parse_availability(text(raw))


def mapping(raw: Any) -> dict[str, Any]:
    """A mapping.

    Raises:
        ValueError: something else.
    """
    if not isinstance(raw, dict):
        raise ValueError("must be a mapping")  # noqa: TRY004 - one error for every wrong value
    return raw


AVAILABILITY = Key(
    availability,
    "when values are usually there, such as ts + 2 hours: for read --assume (nobody says)",
)
"""Of a source, and of a series of a group where it differs."""

OPTIONS: dict[str, Key] = {
    "schedule": Key(
        positive_duration, "how often the source is to be asked (1 hour)", ("update_frequency",)
    ),
    "enabled": Key(flag, "false leaves the source out of fetch-all (true)"),
    "requires_env": Key(variables, "variables without which the source is left out"),
    "lookback": Key(duration, "how far before the newest observation to ask again (7 days)"),
    "initial_history": Key(history_length, "how far back the first run asks, or all (30 days)"),
    "forecast_horizon": Key(duration, "how far past now the observations may reach (0)"),
    "max_window": Key(
        positive_duration,
        "the longest window of one request; longer ones are sliced, all there is excepted",
    ),
    "timeout": Key(positive_duration, "how long one slice may take, retries included (15 minutes)"),
    "timezone": Key(zone, "the zone of times that come without an offset"),
    "availability": AVAILABILITY,
    "repeated": Key(
        repetition,
        "which of several values for one time counts: first, last, or none and the run is partial: "
        "refuse, the default",
    ),
    "stale_after": Key(
        positive_duration, "the age of the last success that is unhealthy (3 schedules)"
    ),
    "data_stale_after": Key(
        positive_duration_or_off,
        "the age of the newest observation that is unhealthy, or off"
        " (unhealthy once all series stand still)",
    ),
    "gaps_stale_after": Key(
        positive_duration_or_off,
        "the age of a gap that is unhealthy, of the 30 days before; or off (off)",
    ),
    "dormant_after": Key(
        positive_duration, "how long a series may rest before it counts as ended (90 d)"
    ),
    "slot_offset": Key(duration, "when in each slot of the schedule it is due (from its name)"),
    "renamed_from": Key(text, "the former name of the source, whose series it takes over"),
    "tags": Key(texts, "words to choose sources by, with --only"),
}
"""May stand in an entry, and in the metadata of an entry under `timeseries:`."""

METADATA: dict[str, Key] = {
    "endpoint_prefix": Key(text, "the name of the series (the entry's own)", ("unique_id",)),
    "name": Key(text, "the name that people know it by"),
    "description": Key(text, "what is observed"),
    "granularity": Key(text, "the length of the interval observed", ("frequency",)),
    "unit": Key(text, "the unit of the values"),
    "domain": Key(text, "such as energy, weather, economy"),
    "category": Key(text, "such as generation, prices"),
    "subcategory": Key(text, "a finer category", ("sub_category",)),
    "availability": AVAILABILITY,
    "available_metrics": Key(texts, "handed to the plugin as `metrics`"),
}
"""What is known of a series; any further key is kept in `time_series.metadata`."""

SINGLE: dict[str, Key] = {
    "module": Key(text, "the plugin's module"),
    "class": Key(text, "the plugin's class"),
    "metadata": Key(mapping, "what is known of the series"),
    "default_params": Key(mapping, "parameters for the plugin"),
}
"""Of an entry under `timeseries:`, besides the options."""

GROUP: dict[str, Key] = {
    "module": SINGLE["module"],
    "class": SINGLE["class"],
    "request_params": Key(mapping, "parameters for the plugin"),
    "timeseries": Key(lambda raw: raw, "the series of the group"),
}
"""Of an entry under `request_groups:`, besides the options."""

MEMBER: dict[str, Key] = {
    "endpoint_prefix": METADATA["endpoint_prefix"],
    "extract_filter": Key(mapping, "what of the shared answer belongs to the series"),
    "metadata": SINGLE["metadata"],
}
"""Of a series of a group."""

KeysByName = dict[str, tuple[str, "Callable[[Any], Any]"]]
"""First name and parser by every name of a key."""


def keys_by_any_name(keys: dict[str, Key]) -> KeysByName:
    """The keys by each of their names."""
    return {name: (first, k.parse) for first, k in keys.items() for name in (first, *k.aliases)}


LIMITS = (
    "lookback",
    "initial_history",
    "forecast_horizon",
    "max_window",
    "timeout",
    "timezone",
    "repeated",
    "dormant_after",
)
"""Options for which a plugin class may have its own defaults."""
