"""What the parameters of a plugin are declared with: the base of their structs, and their types."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from dataportal.times import parse_duration, parse_instant, time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

VARIABLE_PATTERN = r"\$\{"
"""Found in a text that holds a `${VAR}`: what it will be, nobody knows before a run."""
DURATION_PATTERN = (
    r"^\s*(?:0|(?:\d+(?:\.\d+)?\s*[A-Za-z]+[\s,]*)+|[Pp][\dA-Za-z.]+|[A-Za-z]+ly)\s*$"
)
"""No stricter than `parse_duration`, which knows the units too."""
DURATION_ERROR = "a duration is written like 15 minutes, 1 hour, 7 days or PT15M"


class Parameters(msgspec.Struct, forbid_unknown_fields=True):
    """The parameters of a plugin, or of a part of one; each field is annotated with `about`.

    A field without a default must be given. A null counts as not given.
    """


def about(
    text: str,
    *,
    aliases: Sequence[str] = (),
    examples: Sequence[Any] = (),
    secret: bool | None = None,
    single: bool = False,
    rest: bool = False,
) -> Meta:
    """What a parameter means, for the manual and for editors.

    Args:
        text: what it means, with what holds where it is not given in parentheses.
        aliases: other names that it is taken under.
        examples: values to be offered.
        secret: whether no message may show its value; if it is not said, as what it stands in.
        single: whether a value alone counts as a list of one.
        rest: whether the field, a mapping, takes all names that no other field has.
    """
    extra = {"aliases": tuple(aliases), "secret": secret, "single": single, "rest": rest}
    return Meta(description=text, examples=list(examples) or None, extra=extra)


def written_as(
    parse: Callable[[str], Any],
    *,
    pattern: str = "",
    error: str = "",
    examples: Sequence[str] = (),
) -> Meta:
    """How a value is made of a text.

    Args:
        parse: makes it; raises a ValueError that says what is wrong.
        pattern: a regular expression that is found in every text that `parse` takes.
        error: what editors say of a text in which it is not found.
        examples: texts to be offered.
    """
    schema = {"pattern": f"{pattern}|{VARIABLE_PATTERN}"} if pattern else {}
    if error:
        schema["patternErrorMessage"] = error
    return Meta(
        extra={"parse": parse}, extra_json_schema=schema or None, examples=list(examples) or None
    )


def one_of(choices: Iterable[str]) -> Meta:
    """Which texts there are to choose from."""
    return Meta(extra={"choices": tuple(choices)})


def expectation(text: str) -> Meta:
    """What a value must be, to follow "must be", in place of what its type is called."""
    return Meta(extra={"expected": text})


def matching(pattern: str, text: str) -> Meta:
    """What a text must look like.

    Args:
        pattern: a regular expression that the whole text must match.
        text: what it says, to follow "must be".
    """
    return Meta(
        extra={"pattern": re.compile(pattern), "matching": text},
        extra_json_schema={
            "pattern": f"^(?:{pattern})$|{VARIABLE_PATTERN}",
            "patternErrorMessage": f"must be {text}",
        },
    )


_OTHER_SCHEME = re.compile(
    r"\s*(?!https?:)(?:([a-z][a-z0-9+.-]*)://|(file|ftps?|sftp|mailto):)", re.IGNORECASE
)


def _address_fault(text: str) -> str:
    """What is wrong with an address, or a part of one: nothing else asks for files or mail."""
    match = _OTHER_SCHEME.match(text)
    scheme = "" if match is None else match[1] or match[2]
    return f"must be an http or https address, not one of {scheme.lower()}" if scheme else ""


def _is_column(value: object) -> bool:
    return value != "" and not (isinstance(value, int) and value < 1)


def _compiled_pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression ({error})") from None


WholeNumber = Annotated[int, Meta(ge=0)]
"""A whole number of 0 or more, also as a text of digits."""
Count = Annotated[int, Meta(ge=1)]
"""A whole number of 1 or more, also as a text of digits."""
PositiveNumber = Annotated[float, Meta(gt=0)]
"""A number of more than 0."""
Column = Annotated[
    str | int,
    Meta(
        extra={"check": _is_column, "expected": "a column's name, or its number from 1"},
        extra_json_schema={"minimum": 1},
    ),
]
"""A column or a place in a row: its name, or its number from 1."""
Address = Annotated[
    str,
    Meta(
        extra={"fault": _address_fault},
        extra_json_schema={
            "pattern": r"^\s*(?:[Hh][Tt][Tt][Pp][Ss]?:|(?![A-Za-z][A-Za-z0-9+.-]*://))",
            "patternErrorMessage": "must be an http or https address",
        },
    ),
]
"""The address of something that is asked by HTTP, or a part of one; it may have fields."""
TextOrTexts = Annotated[
    str | int | float | bool | list[str | int | float | bool | None] | None,
    expectation("a text or a list of texts"),
]
"""A text, a number or a boolean, or a list of them."""
Duration = Annotated[
    timedelta,
    written_as(
        parse_duration,
        pattern=DURATION_PATTERN,
        error=DURATION_ERROR,
        examples=("15 minutes", "1 hour", "P1D"),
    ),
]
"""A length such as `15 minutes` or `P1D`."""
Instant = Annotated[datetime, written_as(parse_instant, examples=("2020-01-01",))]
"""A time in ISO 8601, in UTC where it has no offset."""
Pattern = Annotated[re.Pattern[str], written_as(_compiled_pattern)]
"""A regular expression."""
Zone = Annotated[ZoneInfo, written_as(time_zone, examples=("Europe/Berlin", "UTC"))]
"""The name of a time zone."""
