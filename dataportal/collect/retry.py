"""Retries failed attempts: which failures, when, and for how long. The only place that does so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import stamina

from dataportal.errors import (
    DatabaseTransientError,
    LockLostError,
    TransientError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

_JITTER = 0.1  # of the first wait: enough that sources which failed together do not come together
_DATABASE_WAIT = 1.0  # seconds; a server restarts in less time than a provider recovers


class Retries:
    """The policy of one source: exponential waits from the first one, a provider's wish before it.

    Args:
        retries: how often at most, after the first attempt.
        first_wait: seconds; it doubles.
        budget: seconds for all attempts at one step together. There is no wait that does not fit
            into what is left of it.
        hosts_given_up: hosts that used up their retries in this run; a failure there is final.
        on_wait: called with the seconds of each wait, and its reason.
    """

    def __init__(
        self,
        *,
        retries: int,
        first_wait: float,
        budget: float,
        hosts_given_up: set[str],
        on_wait: Callable[[float | None, str], None],
    ) -> None:
        self._retries = retries
        self._first_wait = first_wait
        self._budget = budget
        self._hosts_given_up = hosts_given_up
        self._on_wait = on_wait
        self._started = 0.0
        self._failures = 0

    def attempts(self) -> AsyncIterator[AbstractContextManager[None]]:
        """A fresh series of attempts, for the next step."""
        self._started, self._failures = time.monotonic(), 0
        return _Attempts(self._further_attempts)

    def _further_attempts(self) -> AsyncIterable[stamina.Attempt]:
        return stamina.retry_context(
            on=self._backoff,
            attempts=self._retries + 1,
            timeout=None,
            wait_initial=self._first_wait,
            wait_max=self._budget,
            wait_jitter=_JITTER * self._first_wait,
        )

    def seconds_left(self) -> float:
        """Seconds left for the present step; never less than one, so that a call can answer."""
        return max(1.0, self._budget - (time.monotonic() - self._started))

    def _backoff(self, error: Exception) -> bool | float:
        """Whether to try again after a failure, and after how many seconds."""
        self._failures += 1
        if not isinstance(error, TransientError | DatabaseTransientError | LockLostError):
            return False
        host = error.host if isinstance(error, TransientError) else None
        if host is not None and host in self._hosts_given_up:
            return False
        retry_after = error.retry_after if isinstance(error, TransientError) else None
        first_wait = self._first_wait
        if not isinstance(error, TransientError):
            first_wait = min(first_wait, _DATABASE_WAIT)
        if retry_after is None:
            wait = first_wait * 2.0 ** (self._failures - 1)
        else:
            wait = max(0.0, retry_after)
        left = self._budget - (time.monotonic() - self._started)
        if self._failures > self._retries or wait > left:
            if host is not None:
                self._hosts_given_up.add(host)
            if wait > left:
                error.hint = (
                    f"The next attempt would be in {wait:.0f} s, and the source's timeout leaves "
                    f"{max(left, 0):.0f} s: the next run tries again"
                )
            return False
        self._on_wait(wait, error.message)
        # True leaves the exponential wait, and its jitter, to the library
        return wait if retry_after is not None or not isinstance(error, TransientError) else True


class _Attempts:
    """The attempts at one step, each a context manager that keeps the failure within it.

    Nearly always the first is the last. So the library, whose preparations take as long as a
    statement does, is asked only after a failure, which it is told as that of its own first one.

    Args:
        further: makes the library's attempts.
    """

    def __init__(self, further: Callable[[], AsyncIterable[stamina.Attempt]]) -> None:
        self._further = further
        self._began = False
        self._failure: Exception | None = None
        self._attempts: AsyncIterator[stamina.Attempt] | None = None

    def __aiter__(self) -> _Attempts:
        return self

    async def __anext__(self) -> AbstractContextManager[None]:
        if not self._began:
            self._began = True
            return self
        if self._attempts is not None:
            return await anext(self._attempts)
        failure, self._failure = self._failure, None
        if failure is None:
            raise StopAsyncIteration
        self._attempts = aiter(self._further())
        attempt = await anext(self._attempts)
        attempt.__exit__(type(failure), failure, failure.__traceback__)
        return await anext(self._attempts)

    def __enter__(self) -> None:
        """Begin the first attempt."""

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> bool:
        """Keep how the first attempt failed; what ends the program goes on."""
        if not isinstance(error, Exception):
            return False
        self._failure = error
        return True
