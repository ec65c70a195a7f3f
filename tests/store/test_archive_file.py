"""The file of series: what is written is read again, and nothing else passes for it."""

from __future__ import annotations

import gzip
import hashlib
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataportal.errors import ExitCode, FileError
from dataportal.series import is_name
from dataportal.store.archive import file as series_file
from dataportal.store.archive.file import check_target, read, write
from dataportal.store.archive.format import End, Issue, Series, Version, Vintage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataportal.store.archive.format import Row

DAY = datetime(2025, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def series(prefix: str = "load", **fields: Any) -> Series:
    """A series' line."""
    values = dict.fromkeys(Series.__struct_fields__) | {
        "endpoint_prefix": prefix,
        "source": "grid",
        "metadata": {},
        "history_asked": True,
    }
    return Series(**{**values, **fields})


def version(ts: int, since: int, until: int | None = None, value: float = 1.0) -> Version:
    """A version, with times in hours after DAY."""
    return Version(
        DAY + ts * HOUR, value, DAY + since * HOUR, None if until is None else DAY + until * HOUR
    )


def vintage(ts: int, published: int, recorded: int, value: float | None = 1.0) -> Vintage:
    """A publication, with times in hours after DAY."""
    return Vintage(DAY + ts * HOUR, DAY + published * HOUR, DAY + recorded * HOUR, value)


SAMPLE: list[Row] = [
    series("load", name="Load\n\x1b[31m ü", metadata={"b": [1, {"c": None}], "a": 1.5}),
    version(0, 5, 6, 1.0),
    version(0, 6, None, -0.0),
    version(1, 5, 6, 1e300),
    version(2, 7),
    series("wind", known_through=DAY),
    vintage(0, 1, 5),
    vintage(0, 1, 6, 2.0),
    vintage(0, 2, 5, None),
    Issue(DAY, DAY, DAY + HOUR, 2),
    Issue(DAY + HOUR, DAY, DAY, 1),
    series("empty"),
]


def rows_of(path: Path) -> list[Row]:
    """All rows but the last line."""
    *rows, end = read(path)
    assert isinstance(end, End)
    return [row for row in rows if not isinstance(row, End)]


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(timezones=st.just(UTC)).map(lambda time: time.replace(fold=0))
PAST = st.datetimes(max_value=datetime(2026, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda time: time.replace(fold=0)
)


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Rows of a series with any times, values and texts."""
    text = st.none() | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5)
    name = draw(st.text(min_size=1).filter(is_name))
    rows: list[Row] = [
        series(
            name,
            name=draw(text),
            known_through=draw(st.none() | PAST),
            history_asked_at=draw(st.none() | PAST),
            availability=draw(st.none() | st.just({"text": "ts", "shift": "PT0S"})),
        )
    ]
    for ts in sorted(draw(st.sets(TIMES, max_size=4))):
        bounds = sorted(draw(st.sets(PAST, min_size=2, max_size=4)))
        rows += [Version(ts, draw(NUMBERS), start, end) for start, end in pairwise(bounds)]
    for key in sorted(draw(st.sets(st.tuples(TIMES, TIMES, PAST), max_size=3))):
        rows.append(Vintage(*key, draw(st.none() | NUMBERS)))
    return rows


@pytest.mark.slow
@given(rows=histories(), ending=st.sampled_from([".jsonl", ".jsonl.gz", ".JSONL.GZ", ""]))
@example(rows=SAMPLE, ending=".jsonl.gz")
@example(rows=[], ending=".jsonl")
def test_what_is_written_is_read_again(rows: list[Row], ending: str) -> None:
    """To the last bit of every number and every microsecond; and twice the same bytes."""
    with TemporaryDirectory() as folder:
        first, second = Path(folder, f"a{ending}"), Path(folder, f"another{ending}")
        end = write(first, rows)
        assert rows_of(first) == rows
        assert [repr(r) for r in rows_of(first)] == [repr(r) for r in rows]
        assert write(second, rows_of(first)) == end
        assert first.read_bytes() == second.read_bytes()
        assert set(Path(folder).iterdir()) == {first, second}


def test_the_file_is_what_it_is_said_to_be(tmp_path: Path) -> None:
    """JSON lines, the last of which has their number and the SHA-256 of those before it."""
    path = tmp_path / "sample.jsonl.gz"
    write(path, SAMPLE)
    *lines, last = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    types = [json.loads(line)["type"] for line in lines]
    assert types[:3] == ["dataportal", "series", "version"]
    assert json.loads(lines[2]) == {
        "type": "version",
        "ts": "2025-03-01T00:00:00Z",
        "value": 1.0,
        "valid_from": "2025-03-01T05:00:00Z",
        "valid_to": "2025-03-01T06:00:00Z",
    }
    assert json.loads(last) == {
        "type": "end",
        "series": types.count("series"),
        "versions": types.count("version"),
        "vintages": types.count("vintage"),
        "sha256": hashlib.sha256(b"".join(lines)).hexdigest(),
        "issues": types.count("issue"),
    }


def read_damaged(content: bytes, ending: str) -> list[Row] | None:
    """What is read of a file with this content; None if it is refused, as it should be."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"a{ending}")
        path.write_bytes(content)
        try:
            return rows_of(path)
        except FileError:
            return None


def write_sample(ending: str) -> bytes:
    """The sample as a file."""
    with TemporaryDirectory() as folder:
        write(Path(folder, f"a{ending}"), SAMPLE)
        return Path(folder, f"a{ending}").read_bytes()


PLAIN, PACKED = write_sample(".jsonl"), write_sample(".jsonl.gz")


@given(st.integers(0, len(PLAIN) - 1))
def test_a_file_that_is_cut_is_refused(length: int) -> None:
    """Anywhere, packed or not."""
    assert read_damaged(PLAIN[:length], ".jsonl") is None
    assert read_damaged(PACKED[: length % len(PACKED)], ".jsonl.gz") is None


@pytest.mark.slow
@given(st.data())
def test_a_file_that_was_changed_is_refused(data: st.DataObject) -> None:
    """Wherever a byte is another one, or there is one more: unless it still says the same."""
    for content, ending in ((PLAIN, ".jsonl"), (PACKED, ".jsonl.gz")):
        at = data.draw(st.integers(0, len(content) - 1))
        byte = bytes([data.draw(st.integers(0, 255))])
        instead = data.draw(st.booleans())
        changed = content[:at] + byte + content[at + instead :]
        assert read_damaged(changed, ending) in (None, SAMPLE)
        assert read_damaged(content + byte, ending) in (None, SAMPLE)


def test_lines_that_change_places_are_refused() -> None:
    """Even where they are in an order that could be."""
    first, second, *rest = PLAIN.splitlines(keepends=True)
    for other in range(len(rest)):
        lines = [first, *rest]
        lines.insert(other + 2, second)
        assert read_damaged(b"".join(lines), ".jsonl") is None


def write_signed(*lines: str) -> bytes:
    """A file of these lines with a last line that fits them."""
    text = "".join(f"{line}\n" for line in ('{"type":"dataportal","format":1}', *lines)).encode()
    counts = {t: sum(f'"{t}"' in li for li in lines) for t in ("series", "version", "vintage")}
    end = {
        "type": "end",
        "series": counts["series"],
        "versions": counts["version"],
        "vintages": counts["vintage"],
        "sha256": hashlib.sha256(text).hexdigest(),
    }
    return text + json.dumps(end).encode() + b"\n"


LOAD = json.dumps(
    {
        **dict.fromkeys(Series.__struct_fields__),
        "type": "series",
        "endpoint_prefix": "load",
        "source": "grid",
        "metadata": {},
        "history_asked": False,
    }
)


def v(ts: str, since: str, until: str | None, value: Any = 1) -> str:
    """A version's line, with times of one day."""
    day = "2025-03-01T"
    return json.dumps(
        {
            "type": "version",
            "ts": f"{day}{ts}:00Z",
            "value": value,
            "valid_from": f"{day}{since}:00Z",
            "valid_to": until and f"{day}{until}:00Z",
        }
    )


def p(ts: str, published: str, recorded: str) -> str:
    """A vintage's line, with times of one day."""
    times = {"ts": ts, "published_at": published, "recorded_at": recorded}
    fields = {name: f"2025-03-01T{time}:00Z" for name, time in times.items()}
    return json.dumps({"type": "vintage", **fields, "value": 1})


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        ([v("00:00", "01:00", None)], 2, "belongs to no series"),
        ([LOAD, LOAD], 3, "'load' is there twice"),
        ([LOAD, v("00:00", "01:00", "01:00")], 3, "ends before it begins"),
        ([LOAD, v("01:00", "01:00", None), v("00:00", "01:00", None)], 4, "not in their order"),
        ([LOAD, v("00:00", "01:00", None), v("00:00", "02:00", None)], 4, "before the one before"),
        ([LOAD, v("00:00", "01:00", "03:00"), v("00:00", "02:00", None)], 4, "before the one"),
        ([LOAD, p("00:00", "01:00", "02:00"), v("00:00", "01:00", None)], 4, "after the vintages"),
        ([LOAD, p("00:00", "01:00", "02:00"), p("00:00", "01:00", "02:00")], 4, "in their order"),
        ([LOAD, p("00:00", "02:00", "02:00"), p("00:00", "01:00", "02:00")], 4, "in their order"),
        ([LOAD, v("00:00", "01:00", None, "x")], 3, "`float`"),
        ([LOAD, v("00:00", "01:00", None).replace("1,", "1e999,", 1)], 3, ""),
        ([LOAD, v("00:00", "01:00", None).replace("Z", "", 1)], 3, "timezone"),
        ([LOAD, v("25:00", "01:00", None)], 3, "datetime"),
        ([LOAD, '{"type":"version"}'], 3, "missing required field"),
        ([LOAD, '{"type":"virus"}'], 3, "virus"),
        ([LOAD, v("00:00", "01:00", None)[:-1] + ',"run_id":1}'], 3, "run_id"),
        ([LOAD, "[]"], 3, "object"),
        (['{"type":"dataportal","format":1}'], 2, "no file of dataportal dump"),
    ],
)
def test_what_dump_never_writes_is_refused(
    tmp_path: Path, lines: list[str], line: int, message: str
) -> None:
    """Though the checksum is right; the line is named."""
    path = tmp_path / "made.jsonl"
    path.write_bytes(write_signed(*lines))
    with pytest.raises(FileError) as raised:
        list(read(path))
    assert raised.value.exit_code is ExitCode.USAGE
    assert f"{path}:{line}: " in str(raised.value)
    assert message in str(raised.value)


ISSUE = (
    '{"type":"issue","issued_at":"2025-03-01T05:00:00Z","first_ts":"2025-03-01T06:00:00Z",'
    '"last_ts":"2025-03-02T06:00:00Z","points":2}'
)


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        ([ISSUE], 2, "belongs to no series"),
        ([LOAD, ISSUE, ISSUE], 4, "the issues are not in their order"),
        ([LOAD, ISSUE, v("00:00", "01:00", None)], 4, "after the issues"),
        ([LOAD, ISSUE.replace(":2}", ":0}")], 3, "the issue holds nothing"),
        ([LOAD, ISSUE.replace("02T06", "01T05")], 3, "the issue holds nothing"),
        ([LOAD, ISSUE.replace("2025-03-01T05", "2999-03-01T05")], 3, "which is yet to come"),
    ],
)
def test_issues_that_dump_never_writes(
    tmp_path: Path, lines: list[str], line: int, message: str
) -> None:
    """Are refused with their line, too."""
    test_what_dump_never_writes_is_refused(tmp_path, lines, line, message)


def test_such_a_file_by_hand_is_taken(tmp_path: Path) -> None:
    """What the test above makes differs from a good file by its fault only."""
    path = tmp_path / "made.jsonl"
    path.write_bytes(
        write_signed(
            LOAD,
            v("00:00", "01:00", "02:00"),
            v("00:00", "02:00", None),
            p("00:00", "01:00", "02:00"),
            p("00:00", "01:00", "03:00"),
        )
    )
    assert len(rows_of(path)) == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is cut: it ends in line 0"),
        (b"ts,value\n2025-03-01,1\n", ":1: "),
        (b'{"a": 1}\n', ":1: "),
        (PLAIN.replace(b'"format":1', b'"format":2'), "format 2 is not known; update dataportal"),
        (PACKED, ":1: "),
        (PLAIN + PLAIN, "more after the last line"),
        (b"x" * 5_000_000, "the line is too long"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Whatever it is."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(FileError, match=message):
        list(read(path))


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A file that is not there, a folder, another packing, no packing where one is told."""
    (tmp_path / "a.gz").write_bytes(PLAIN)
    for path, message in (
        (tmp_path / "none", "there is no file"),
        (tmp_path, "cannot be read: Is a directory"),
        (tmp_path / "a.zst", "is not known"),
        (tmp_path / "a.gz", "Not a gzipped file"),
    ):
        with pytest.raises(FileError, match=message):
            list(read(path))


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    """Neither one that is there, nor one that appears meanwhile, nor where a dead link points."""
    path = tmp_path / "a.jsonl"

    def rows() -> Iterator[Row]:
        yield series()
        path.write_text("precious")

    with pytest.raises(FileError, match="has appeared meanwhile"):
        write(path, rows())
    with pytest.raises(FileError, match="is there already"):
        write(path, SAMPLE)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileError, match="is there already"):
        check_target(tmp_path / "link")
    assert path.read_text() == "precious"
    assert {entry.name for entry in tmp_path.iterdir()} == {"a.jsonl", "link"}


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    """Of the rows, of the folder, of the packing."""

    def rows() -> Iterator[Row]:
        yield series()
        raise LookupError

    with pytest.raises(LookupError):
        write(tmp_path / "a.jsonl.gz", rows())
    with pytest.raises(FileError, match="cannot be written: No such file or directory"):
        write(tmp_path / "none" / "a.jsonl", SAMPLE)
    with pytest.raises(FileError, match=r"End it in \.jsonl"):
        write(tmp_path / "a.jsonl.zst", SAMPLE)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Neither of writing nor of reading: some hundred kilobytes for 9 MB."""
    path = tmp_path / "long.jsonl.gz"

    def rows() -> Iterator[Row]:
        yield series()
        for number in range(80_000):
            yield version(number, 0, None, number)

    tracemalloc.start()
    try:
        write(path, rows())
        assert sum(1 for _ in read(path)) == 80_002
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    assert len(gzip.decompress(path.read_bytes())) > 9_000_000


def test_the_longest_line_fits(tmp_path: Path) -> None:
    """Metadata may be as long as anybody writes it in sources.yaml."""
    path = tmp_path / "a.jsonl"
    long = series(metadata={"note": "x" * (series_file._LONGEST_LINE // 2)})
    write(path, [long])
    assert rows_of(path) == [long]
