"""What ENTSO-E refuses or spoils: told apart, shown without the token, and no more than it is."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.entsoe_files import (
    DAY,
    END,
    GENERATION,
    LOAD,
    NEXT,
    NO_DATA,
    PATH,
    START,
    TOKEN,
    acknowledgement,
    at,
    document,
    fetch,
    fetch_group,
    hours,
    period,
    series,
    xml,
)
from support.http_server import Reply

from dataportal.errors import BadDataError, PermanentError, TransientError

if TYPE_CHECKING:
    from support.http_server import LocalServer

    from dataportal.errors import FetchError


@pytest.mark.parametrize("status", [200, 400])
def test_no_data_is_no_error(server: LocalServer, status: int) -> None:
    """Under either status, whatever the code says."""
    server.answer(PATH, xml(acknowledgement(NO_DATA), status))
    assert fetch(server, START, END, **LOAD) == {}


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        ("Input parameter does not exist: processTyp", PermanentError, ""),
        (
            "The number of instances (352) exceeds the allowed maximum (200)",
            PermanentError,
            "max_window",
        ),
        ("Delivered time interval is not valid for this Data item.", PermanentError, ""),
        ("Unexpected error occurred, please try again later.", TransientError, ""),
        ("", PermanentError, ""),
    ],
)
def test_errors_are_told_apart_by_their_text(
    server: LocalServer, status: int, text: str, kind: type[FetchError], hint: str
) -> None:
    """The code is always the same; the text is shown."""
    server.answer(PATH, xml(acknowledgement(text), status))
    with pytest.raises(kind) as caught:
        fetch(server, START, END, **LOAD)
    assert (text or "999") in str(caught.value)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (
            Reply(401, acknowledgement("Unauthorized. Missing or invalid security token.")),
            PermanentError,
        ),
        (Reply(429, b"<html>Max allowed requests per minute</html>"), TransientError),
        (Reply(503, b"<html>maintenance</html>"), TransientError),
        (Reply(200, b"<!DOCTYPE html><html>maintenance</html>"), TransientError),
        (Reply(200, b"<html>maintenance</html>"), TransientError),
        (Reply(200, b""), BadDataError),
        (Reply(200, b'{"data": []}'), BadDataError),
        (Reply(200, b"<?xml version='1.0'?><Strange/>"), BadDataError),
        (Reply(200, document()), BadDataError),
        (Reply(400, document(series(hours(1)))), BadDataError),
        (Reply(200, b"PK\x03\x04 no archive"), BadDataError),
        (Reply(200, document(series(hours(1)))[:-9]), BadDataError),
        (Reply(200, document(series(period(DAY, NEXT, "PT60M", {25: 1})))), BadDataError),
        (Reply(200, document(series(hours(1), curve="A05"))), BadDataError),
        (Reply(200, document(series(period(DAY, NEXT, "PT61X", {1: 1})))), BadDataError),
        (Reply(200, document(series(hours(1, value="price.amount")))), BadDataError),
        (Reply(reset_after=-1), TransientError),
    ],
)
def test_what_goes_wrong_is_classified(
    server: LocalServer, reply: Reply, kind: type[FetchError]
) -> None:
    """May it pass, will it not, or is the answer bad; the address is named, the token never is."""
    server.answer(PATH, reply)
    with pytest.raises(kind) as caught:
        fetch(server, START, END, **LOAD)
    message = f"{caught.value}{caught.value.hint}{caught.value!r}"
    assert TOKEN not in message
    assert server.url in message


@pytest.mark.parametrize(("headers", "seconds"), [({}, 600), ({"Retry-After": "30"}, 30)])
def test_who_asked_too_often_is_silent_for_ten_minutes(
    server: LocalServer, headers: dict[str, str], seconds: float
) -> None:
    """As long as the platform is, unless it says how long itself."""
    server.answer(PATH, Reply(429, b"<html>Max allowed requests</html>", headers=headers))
    with pytest.raises(TransientError) as caught:
        fetch(server, START, END, **LOAD)
    assert caught.value.retry_after == seconds
    assert caught.value.host == "127.0.0.1"


def test_an_error_that_repeats_the_token_is_masked(server: LocalServer) -> None:
    """As some services do that quote the question."""
    server.answer(PATH, xml(acknowledgement(f"Invalid query securityToken {TOKEN}"), 400))
    with pytest.raises(PermanentError) as caught:
        fetch(server, START, END, **LOAD)
    assert TOKEN not in str(caught.value)


def test_a_series_that_cannot_be_read_fails_alone(server: LocalServer) -> None:
    """The others of the same answer come."""
    solar = series(period(DAY, NEXT, "PT60M", {99: 1}), psr="B16", inside="x")
    server.answer(PATH, xml(document(solar, series(hours(5), psr="B14", inside="x"))))
    filters = {"solar": {"psr_type": "solar"}, "nuclear": {"psr_type": "nuclear"}}
    by_series = fetch_group(server, filters, START, END, **GENERATION)
    assert isinstance(by_series["solar"], BadDataError)
    assert "position 99" in str(by_series["solar"])
    assert by_series["nuclear"] == {at(0): "5"}


def test_a_zone_that_is_refused_fails_alone(server: LocalServer) -> None:
    """The other zone's load comes; what may pass is raised, as all of it is asked again."""
    refused = [xml(acknowledgement("no such zone"), 400), xml(document(series(hours(5))))]
    server.answer(PATH, *refused)
    filters = {"a": {"zone": "FR"}, "b": {"zone": "NL"}}
    by_series = fetch_group(server, filters, START, END, dataset="load")
    assert isinstance(by_series["a"], PermanentError)
    assert by_series["b"] == {at(0): "5"}
    server.answer(PATH, Reply(503), refused[1])
    with pytest.raises(TransientError):
        fetch_group(server, filters, START, END, dataset="load")


@pytest.mark.slow
def test_a_bomb_is_stopped(server: LocalServer) -> None:
    """An archive that unfolds without end."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files, files.open("a", "w") as bomb:
        for _ in range(257):
            bomb.write(bytes(1 << 20))
    server.answer(PATH, Reply(body=packed.getvalue(), content_type="application/zip"))
    with pytest.raises(BadDataError, match="unfolds to more than 256 MiB"):
        fetch(server, START, END, **LOAD)
