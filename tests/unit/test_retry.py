"""Attempts at a step: how many there are, how long between them, and which failures end them."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.collect.retry import Retries
from dataportal.errors import PermanentError, TransientError

WAITS = list[float | None]


def retries(most: int, waits: WAITS, hosts: set[str] | None = None) -> Retries:
    """A policy whose waits take no time, and which notes them."""
    return Retries(
        retries=most,
        first_wait=0.0,
        budget=60.0,
        hosts_given_up=set() if hosts is None else hosts,
        on_wait=lambda seconds, _: waits.append(seconds),
    )


def attempt(policy: Retries, *failures: BaseException) -> int:
    """Take a step that fails so often, and then does not: at which attempt it succeeded."""

    async def take() -> int:
        number = 0
        async for attempt in policy.attempts():
            with attempt:
                number += 1
                if number <= len(failures):
                    raise failures[number - 1]
        return number

    return asyncio.run(take())


@given(most=st.integers(0, 3), failures=st.integers(0, 5))
def test_as_many_attempts_as_there_are_retries_and_one(most: int, failures: int) -> None:
    """Each failure before the last attempt is followed by a wait; the last failure is raised."""
    waits: WAITS = []
    errors = [TransientError(f"failure {n}", host="host") for n in range(failures)]
    hosts: set[str] = set()
    if failures <= most:
        assert attempt(retries(most, waits, hosts), *errors) == failures + 1
        assert not hosts
    else:
        with pytest.raises(TransientError) as raised:
            attempt(retries(most, waits, hosts), *errors)
        assert raised.value is errors[most]
        assert hosts == {"host"}
    assert len(waits) == min(failures, most)


def test_what_will_not_pass_is_raised_at_once() -> None:
    """Also after a failure that might have passed."""
    waits: WAITS = []
    error = PermanentError("no")
    for before in ([], [TransientError("not now")]):
        with pytest.raises(PermanentError) as raised:
            attempt(retries(3, waits), *before, error)
        assert raised.value is error
    assert len(waits) == 1


def test_a_step_is_cancelled_in_any_attempt() -> None:
    """Whoever stops the program does not wait for another one."""
    for before in ([], [TransientError("not now")]):
        with pytest.raises(asyncio.CancelledError):
            attempt(retries(3, []), *before, asyncio.CancelledError())


def test_the_policy_counts_each_step_anew() -> None:
    """A run uses one for all of its steps."""
    waits: WAITS = []
    policy = retries(1, waits)
    for _ in range(3):
        assert attempt(policy, TransientError("not now")) == 2
    assert len(waits) == 3
