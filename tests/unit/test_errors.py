"""The tree of errors and the exit codes, which crontabs and pod failure policies rely on."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal import errors
from dataportal.errors import (
    BadDataError,
    ConfigurationError,
    DatabaseAddressError,
    DatabaseError,
    DatabaseTransientError,
    DataportalError,
    ExitCode,
    FetchError,
    Interrupted,
    LockedError,
    LockError,
    LockLostError,
    PermanentError,
    PluginError,
    Problem,
    SchemaError,
    TransientError,
    UsageError,
    worst_code,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SEVEREST_FIRST = [
    *(ExitCode.SIGINT, ExitCode.SIGTERM, ExitCode.BUG, ExitCode.DATABASE, ExitCode.CONFIGURATION),
    *(ExitCode.LOCKED, ExitCode.INCOMPLETE, ExitCode.UNHEALTHY),
]
CODES = st.sampled_from(ExitCode)


def descendants(kind: type[DataportalError]) -> Iterator[type[DataportalError]]:
    """The class and all below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from descendants(below)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("DONE", 0),
        ("BUG", 1),
        ("USAGE", 2),
        ("INCOMPLETE", 3),
        ("UNHEALTHY", 4),
        ("LOCKED", 11),
        ("DATABASE", 69),
        ("CONFIGURATION", 78),
        ("SIGINT", 130),
        ("SIGTERM", 143),
    ],
)
def test_exit_codes_are_the_documented_numbers(name: str, number: int) -> None:
    """Each has a line of its own for --help."""
    assert ExitCode[name] == number
    assert ExitCode[name].meaning.isprintable()
    assert [code.meaning for code in ExitCode].count(ExitCode[name].meaning) == 1


def test_there_are_no_other_exit_codes() -> None:
    """A new one needs a place in the order, a meaning and the documentation."""
    assert sorted(ExitCode) == [0, 1, 2, 3, 4, 11, 69, 78, 130, 143]


def test_of_several_codes_the_most_severe_stands_for_all() -> None:
    """A signal, a bug, the database, the configuration, a lock, a part, bad health: in this order.

    Any of them before "done"; nothing at all is "done".
    """
    for severe, mild in itertools.combinations([*SEVEREST_FIRST, ExitCode.DONE], 2):
        assert worst_code([mild, severe]) is worst_code([severe, mild]) is severe
    assert worst_code([]) is ExitCode.DONE
    assert worst_code(iter([ExitCode.DONE, ExitCode.UNHEALTHY])) is ExitCode.UNHEALTHY


@given(st.lists(CODES, min_size=1), st.lists(CODES))
def test_the_worst_of_parts_is_the_worst_of_all(some: list[ExitCode], more: list[ExitCode]) -> None:
    """One of them, whatever the order and the grouping; zero only if all are."""
    together = worst_code(some + more)
    assert together in some + more
    assert together is worst_code(more + some)
    assert together is worst_code([worst_code(some), worst_code(more)])
    assert (together == 0) == (not any(some + more))


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (DataportalError, 1),
        (UsageError, 2),
        (ConfigurationError, 78),
        (FetchError, 3),
        (TransientError, 3),
        (PermanentError, 3),
        (BadDataError, 3),
        (PluginError, 3),
        (LockError, 3),
        (LockedError, 11),
        (LockLostError, 3),
        (DatabaseError, 69),
        (DatabaseTransientError, 69),
        (DatabaseAddressError, 78),
        (SchemaError, 78),
        (Interrupted, 143),
    ],
)
def test_an_error_names_its_exit_code(kind: type[DataportalError], code: int) -> None:
    """As the tree in the module's docstring shows it."""
    assert kind.exit_code == code
    line = next(line for line in (errors.__doc__ or "").splitlines() if kind.__name__ in line)
    numbers = [int(word) for word in line.split() if word.isdecimal()]
    inherited = kind is DataportalError or kind.__mro__[1].exit_code == code  # type: ignore[attr-defined]
    assert numbers == [code] or (not numbers and inherited)


def test_every_error_is_in_the_tree() -> None:
    """One that is added without a line in the docstring fails here."""
    ours = [kind for kind in descendants(DataportalError) if kind.__module__ == errors.__name__]
    assert len(ours) == 27
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in ours)
    assert all(kind.__doc__ for kind in ours)


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (TransientError, FetchError),
        (PermanentError, FetchError),
        (BadDataError, FetchError),
        (PluginError, FetchError),
        (LockedError, LockError),
        (LockLostError, LockError),
        (DatabaseTransientError, DatabaseError),
        (SchemaError, DatabaseError),
    ],
)
def test_errors_are_grouped_by_what_can_be_done(
    kind: type[DataportalError], base: type[DataportalError]
) -> None:
    """Who handles the group handles each; all are DataportalError."""
    assert issubclass(kind, base)
    assert issubclass(base, DataportalError)


def test_an_error_says_what_happened_and_then_what_to_do() -> None:
    """The hint follows the message, and both can be had alone."""
    bare = UsageError("no source is named 'smrad'")
    assert str(bare) == bare.message == "no source is named 'smrad'"
    assert bare.hint is None
    hinted = PermanentError("the key was refused", hint="Set EIA_API_KEY")
    assert str(hinted) == "the key was refused. Set EIA_API_KEY"
    assert (hinted.message, hinted.hint) == ("the key was refused", "Set EIA_API_KEY")


def test_errors_carry_what_their_handlers_need() -> None:
    """Seconds to wait, the host, the holder, the problems, the signal."""
    wait = TransientError("busy", retry_after=30.0, host="api.example", hint="Wait")
    assert (wait.retry_after, wait.host, str(wait)) == (30.0, "api.example", "busy. Wait")
    assert TransientError("busy").retry_after is None
    assert LockedError("held", holder="pid 7 on a", hint="Wait").holder == "pid 7 on a"
    problem = Problem("sources.yaml:14:7", "unknown key 'shedule'", source="smard")
    assert str(problem) == "sources.yaml:14:7: unknown key 'shedule'"
    assert ConfigurationError("unusable", problems=[problem]).problems == (problem,)
    assert ConfigurationError("unusable").problems == ()


@pytest.mark.parametrize(
    ("code", "text"), [(ExitCode.SIGTERM, "SIGTERM"), (ExitCode.SIGINT, "SIGINT")]
)
def test_an_interruption_knows_its_signal(code: ExitCode, text: str) -> None:
    """130 or 143, and its name in the message."""
    stopped = Interrupted(code)
    assert stopped.signal_code is code
    assert str(stopped) == f"interrupted ({text})"
    assert Interrupted().signal_code is ExitCode.SIGTERM
