"""Archives: which of their files count; archives in archives; a file in base64 in JSON."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from support.declarative_sources import fetch, points
from support.http_server import LocalServer, Reply

from dataportal.errors import BadDataError
from dataportal.plugins.parameters import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataportal.observations import Batch


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A provider for all of them."""
    with LocalServer() as server:
        yield server


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A ZIP archive."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return body.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    """A tar archive, with a folder in it."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        folder = tarfile.TarInfo("data")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return body.getvalue()


def table(day: int, value: int) -> bytes:
    """A table of one row."""
    return f"t,v\n2024-05-0{day},{value}\n".encode()


def ask(server: LocalServer, body: bytes, kind: str = "Csv", **params: Any) -> Batch:
    """What becomes of an answer."""
    url = server.answer("/archive", Reply(200, body, content_type="application/octet-stream"))
    return fetch(kind, url=url, ts="t", value="v", timezone="UTC", **params)


def days(batch: Batch) -> dict[int, float | None]:
    """The values by the day of May."""
    return {int(ts[8:10]): value for ts, value in points(batch).items()}


FILES = {
    "a_1.csv": table(1, 1),
    "a_2.csv": table(2, 2),
    "readme.txt": b"\0",
    "b_3.csv": table(3, 3),
}


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ("a_*.csv", {1: 1, 2: 2}),
        ("a_?.csv", {1: 1, 2: 2}),
        ("b_3.csv", {3: 3}),
        (["a_1.csv", "b_*"], {1: 1, 3: 3}),
        ("*.csv", {1: 1, 2: 2, 3: 3}),
    ],
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_files_are_chosen_by_their_names(
    server: LocalServer, pack: Any, member: Any, expected: dict[int, float]
) -> None:
    """Of ZIP and tar archives; the others are not looked at."""
    assert days(ask(server, pack(FILES), member=member)) == expected


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(tarred(FILES)),
        zipped({"outer.tar.gz": gzip.compress(tarred(FILES))}),
        zipped({"x/first.zip": zipped(FILES), "x/second.zip": zipped({"c.csv": table(4, 4)})}),
        gzip.compress(zipped(FILES)),
    ],
)
def test_archives_in_archives_are_opened(server: LocalServer, body: bytes) -> None:
    """A name is that of the innermost file."""
    assert days(ask(server, body, member="a_*.csv")) == {1: 1, 2: 2}


def test_an_archive_in_an_archive_is_chosen_by_its_name(server: LocalServer) -> None:
    """Which stands before that of the file."""
    body = zipped(
        {"05-01.zip": zipped({"x.csv": table(1, 1)}), "05-02.zip": zipped({"x.csv": table(2, 2)})}
    )
    assert days(ask(server, body, member="05-02.zip/*.csv")) == {2: 2}


def test_a_file_that_is_not_there_names_those_that_are(server: LocalServer) -> None:
    """An answer that is no archive is read as it is."""
    with pytest.raises(BadDataError) as refused:
        ask(server, zipped(FILES), member="produkt_*.txt")
    said = "without a file 'produkt_*.txt'; its files are a_1.csv, a_2.csv, b_3.csv, readme.txt"
    assert said in str(refused.value)
    assert days(ask(server, table(1, 5), member="produkt_*.txt")) == {1: 5}


def test_the_name_of_a_file_is_a_field(server: LocalServer) -> None:
    """Where only that says the day."""
    body = zipped({f"load_2024050{day}.csv": f"hour,v\n06:00,{day}\n".encode() for day in (1, 2)})
    batch = fetch(
        "Csv",
        url=server.answer("/archive", Reply(200, body)),
        ts=["day", "hour"],
        value="v",
        time_format="%Y%m%d %H:%M",
        timezone="UTC",
        fields={"day": {"file": r"_(\d{8})\."}},
    )
    assert points(batch) == {"2024-05-01T06:00:00Z": 1, "2024-05-02T06:00:00Z": 2}


@pytest.mark.parametrize("prefix", ["", "data:application/zip;base64,"])
def test_a_file_in_base64_is_read_in_place_of_the_answer(server: LocalServer, prefix: str) -> None:
    """An archive of JSON in JSON, as GME sends it."""
    inner = zipped({"prices.json": b'[{"t": "2024-05-01", "v": 7}]'})
    text = prefix + base64.encodebytes(inner).decode()
    body = f'{{"Content": {{"File": "{text}"}}}}'.replace("\n", "\\n").encode()
    assert days(ask(server, body, "Json", base64="Content.File")) == {1: 7}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"Success": false}', "has no file in base64 at 'File'; it begins: {\"Success\": false}"),
        (b'{"File": "no base 64!"}', "has a text at 'File' that is no base64"),
        (b"<html>", "is a page of HTML"),
    ],
)
def test_what_is_no_base64_is_refused(server: LocalServer, body: bytes, said: str) -> None:
    """With the beginning of the answer."""
    with pytest.raises(BadDataError) as refused:
        ask(server, body, "Json", base64="File")
    assert said in str(refused.value)


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_a_document_that_is_a_text_in_json_is_read_in_its_place(
    server: LocalServer, charset: str
) -> None:
    """JSON, and a table, whatever charset the answer is in."""
    rows = json.dumps({"d": json.dumps([{"zeit": "2024-05-01", "größe": 1}], ensure_ascii=False)})
    csv = json.dumps({"d": "zeit;größe\n2024-05-01;1\n"}, ensure_ascii=False)
    for kind, text in (("Json", rows), ("Csv", csv)):
        reply = Reply(
            200, text.encode(charset), content_type=f"application/json; charset={charset}"
        )
        url = server.answer("/embedded", reply)
        batch = fetch(kind, url=url, timezone="UTC", embedded="d", ts="zeit", value="größe")
        assert points(batch) == {"2024-05-01T00:00:00Z": 1}


def test_a_document_that_is_not_there_is_told(server: LocalServer) -> None:
    """With its place; neither does it go with another way to read the answer."""
    url = server.answer("/embedded", Reply.json({"d": None}))
    with pytest.raises(BadDataError, match="no document at 'd'"):
        fetch("Json", url=url, embedded="d", ts="t", value="v")
    others: list[dict[str, Any]] = [{"base64": "d"}, {"encoding": "latin-1"}]
    for more in others:
        with pytest.raises(ParameterError, match="embedded"):
            fetch("Json", url=url, embedded="d", ts="t", value="v", **more)
