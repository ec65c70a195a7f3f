"""Checks with a provider that fails. A rule's docstring is what its breach is reported with."""

from __future__ import annotations

import contextlib
import io
import logging
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

from dataportal.errors import BadDataError, FetchError, PermanentError, PluginError, TransientError
from dataportal.testing.checks_answers import ordinary_case
from dataportal.testing.harness import SECRET, BrokenRuleError, Harness
from dataportal.testing.local_server import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dataportal.testing.checks_answers import Rule
    from dataportal.testing.conformance import Conformance
    from dataportal.testing.local_server import Request

    Alteration = Callable[[Request, Reply], Reply]

_WAIT = 7
_HTML = b"<!DOCTYPE html><html><body>Please prove that you are no robot</body></html>"


def too_many_requests_may_pass(kit: Conformance) -> None:
    """429 is a TransientError that has the seconds of Retry-After, and is not asked again.

    The run waits as long as the provider wishes; a plugin that tries again by itself annoys it.
    """
    headers = {"Retry-After": str(_WAIT)}
    error = _failure(kit, lambda _, __: Reply(429, b"slow down", headers=headers), TransientError)
    if isinstance(error, TransientError) and error.retry_after != _WAIT:
        raise BrokenRuleError(f"Retry-After says {_WAIT} seconds, the error {error.retry_after}")


def a_broken_server_may_pass(kit: Conformance) -> None:
    """500 and 503 are TransientErrors, are not asked again, and are forgotten afterwards.

    The run tries again later, and what comes then is as good as ever.
    """
    points, start, end = ordinary_case(kit)
    for status in (500, 503):
        _failure(kit, lambda _, __, status=status: Reply(status, b"broken"), TransientError)  # type: ignore[misc]  # a default binds the loop's variable
    with Harness(kit, points) as harness:
        harness.alter = lambda _, __: Reply(503, b"broken")
        harness.failure(start, end)
        harness.alter = lambda _, reply: reply
        harness.expect(start, end)


def a_refused_key_stays_refused(kit: Conformance) -> None:
    """401 and 403 are PermanentErrors.

    To try again with the same key gets it blocked.
    """
    for status in (401, 403):
        _failure(kit, lambda _, __, status=status: Reply(status, b"no"), PermanentError)  # type: ignore[misc]  # a default binds the loop's variable


def not_found_is_no_answer(kit: Conformance) -> None:
    """404 is a FetchError, unless the provider says so that it has no data.

    Read as an empty answer, an address that moved looks like a quiet series for ever.
    """
    if kit.not_found_is_empty:
        _, start, end = ordinary_case(kit)
        with Harness(kit) as harness:
            harness.alter = lambda _, __: Reply(404, b"not found")
            harness.expect(start, end)
        return
    _failure(kit, lambda _, __: Reply(404, b"not found"), FetchError)


def a_page_is_no_data(kit: Conformance) -> None:
    """HTML under 200 is a BadDataError or a TransientError.

    Challenges, log-ins and maintenance come so; read as data, they are an empty answer.
    """
    page = Reply(200, _HTML, content_type="text/html; charset=utf-8")
    _failure(kit, lambda _, __: page, (BadDataError, TransientError))


def an_error_document_is_no_data(kit: Conformance) -> None:
    """A document of another shape under 200, such as {"error": …}, is a FetchError.

    Read as data, it is an empty answer: a change of format that nobody notices.
    """
    body = b'{"error": "the moon is in the wrong place", "code": 12}'
    _failure(kit, lambda _, reply: replace(reply, status=200, body=body), FetchError)


def a_cut_answer_is_no_answer(kit: Conformance) -> None:
    """An answer that breaks off is an error, and nothing of it is returned.

    Half of an answer looks like a whole one with fewer points.
    """
    _failure(kit, lambda _, reply: replace(reply, hang_up_after=_half(reply)), TransientError)
    _, start, end = ordinary_case(kit)
    with Harness(kit, ordinary_case(kit)[0]) as harness:
        kinds: set[str] = set()
        harness.alter = lambda _, reply: _note_kind(reply, kinds)
        harness.raw(start, end)
    # a table of text may end after any line
    if all("json" in kind or "xml" in kind for kind in kinds):
        _failure(kit, lambda _, reply: replace(reply, body=_start(reply)), FetchError)


def all_or_nothing(kit: Conformance) -> None:
    """If the last of several requests fails, so does the whole.

    A page that is missing would be a hole that no later run fills.
    """
    points, start, end = ordinary_case(kit)
    with Harness(kit, points) as harness:
        harness.raw(start, end)
        last = len(harness.server.requests)
        so_far = iter(range(1, 10 * last))
        harness.alter = lambda _, reply: reply if next(so_far) < last else Reply(500, b"broken")
        _check_kind(harness.failure(start, end), TransientError)


def no_secret_is_told(kit: Conformance) -> None:
    """The key stands in no message, no log, no traceback and nothing that is printed.

    Logs are read by many, and kept for long.
    """
    points, start, end = ordinary_case(kit)
    echo = f'{{"error": "{SECRET} is no key", "params": {{"api_key": "{SECRET}"}}}}'.encode()
    alterations: dict[str, Alteration] = {
        "a good answer": lambda _, reply: reply,
        **{str(code): lambda _, __, c=code: Reply(c, echo) for code in (400, 401, 404, 429, 500)},  # type: ignore[misc]  # a default binds the loop's variable
        "a page": lambda _, __: Reply(200, _HTML + echo, content_type="text/html"),
        "an error document": lambda _, reply: replace(reply, body=echo),
        "a cut answer": lambda _, reply: replace(reply, hang_up_after=_half(reply)),
        "no answer": lambda _, reply: replace(reply, hang_up_after=-1),
    }
    for what, alter in alterations.items():
        with Harness(kit, points) as harness, _output() as output:
            harness.alter = alter
            error = harness.failure(start, end)
            if error is not None:
                output.write("".join(traceback.format_exception(error)))
                output.write(f"{error!r} {error.__dict__}")
            if SECRET in output.getvalue():
                position = output.getvalue().index(SECRET)
                before = output.getvalue()[max(position - 60, 0) : position]
                raise BrokenRuleError(f"after {what}: …{' '.join(before.split())}<the key>")


def _failure(
    kit: Conformance, alter: Alteration, kind: type[Exception] | tuple[type[Exception], ...]
) -> Exception | None:
    """What the plugin raises when the provider's answers are bent, if that is of the right kind."""
    points, start, end = ordinary_case(kit)
    with Harness(kit, points) as harness:
        harness.alter = alter
        error = harness.failure(start, end)
        _check_kind(error, kind)
        targets = [request.target for request in harness.server.requests]
        if len(targets) > len(set(targets)):
            raise BrokenRuleError(
                f"it asked {len(targets)} times by itself, and the run does so too"
            )
    return error


def _check_kind(
    error: Exception | None, kind: type[Exception] | tuple[type[Exception], ...]
) -> None:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    expected = " or ".join(kind.__name__ for kind in kinds)
    if error is None:
        raise BrokenRuleError(f"it returned as if all were well, and did not raise {expected}")
    if not isinstance(error, kind) or isinstance(error, PluginError):
        raise BrokenRuleError(
            f"it raised {type(error).__name__} and not {expected}: {error}"
        ) from error


def _note_kind(reply: Reply, kinds: set[str]) -> Reply:
    kinds.add(reply.content_type)
    return reply


def _half(reply: Reply) -> int:
    return len(_start(reply))


def _start(reply: Reply) -> bytes:
    whole = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
    return whole[: len(whole) // 2]


@contextlib.contextmanager
def _output() -> Iterator[io.StringIO]:
    """Everything that is logged or printed meanwhile."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            yield output
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


RULES: tuple[Rule, ...] = (
    too_many_requests_may_pass,
    a_broken_server_may_pass,
    a_refused_key_stays_refused,
    not_found_is_no_answer,
    a_page_is_no_data,
    an_error_document_is_no_data,
    a_cut_answer_is_no_answer,
    all_or_nothing,
    no_secret_is_told,
)
