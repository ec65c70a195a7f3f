"""A file of another kind than expected is called by its name, in an archive with its member's.

An Excel file was "text that is not utf-8", or, as it is an archive itself, a table of XML.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case
from support.http_server import Reply
from support.provider_answers import PROVIDERS, WINDOW

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import RunCli
    from support.answer_runs import Result
    from support.program_sources import SourceFile


def archive(**members: bytes) -> bytes:
    """An archive; `__` stands for a dot, `___` for a slash."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as packed:
        for name, content in members.items():
            packed.writestr(name.replace("___", "/").replace("__", "."), content)
    return body.getvalue()


XLSX = archive(
    **{
        "[Content_Types]__xml": b'<?xml version="1.0"?><Types/>',
        "_rels___.rels": b"<Relationships/>",
        "xl___workbook__xml": b"<workbook/>",
        "xl___worksheets___sheet1__xml": b"<worksheet/>",
    }
)
ODS = archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet", content__xml=b"<a/>")
DOCX = archive(**{"[Content_Types]__xml": b"<Types/>", "word___document__xml": b"<document/>"})
# the first bytes of each kind, as their formats have them, and what it is called
FILES: dict[str, tuple[bytes, str]] = {
    "xlsx": (XLSX, "an Excel file"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "an Excel file"),
    "ods": (ODS, "an OpenDocument file"),
    "docx": (DOCX, "a Word file"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "a PDF file"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG file"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "a JPEG file"),
    "gif": (b"GIF89a\1\0\1\0", "a GIF file"),
    "parquet": (b"PAR1\x15\x04\x15\x10PAR1", "a Parquet file"),
    "arrow": (b"ARROW1\0\0\xff\xff\xff\xff", "an Arrow file"),
    "7z": (b"7z\xbc\xaf'\x1c\0\4", "a 7-Zip file"),
    "rar": (b"Rar!\x1a\x07\x01\0", "a RAR file"),
    "xz": (b"\xfd7zXZ\0\0\4", "an xz file"),
    "bzip2": (b"BZh91AY&SY", "a bzip2 file"),
    "zstd": (b"\x28\xb5\x2f\xfd\0X", "a Zstandard file"),
    "sqlite": (b"SQLite format 3\0\x10\0", "a SQLite file"),
    "hdf5": (b"\x89HDF\r\n\x1a\n\0\0\0", "an HDF5 file"),
    "netcdf": (b"CDF\x01\0\0\0\0", "a NetCDF file"),
    "grib": (b"GRIB\0\0\0\2", "a GRIB file"),
    "feather": (b"FEA1\0\0\0\0", "a Feather file"),
    "orc": (b"ORC\x08\x03\0", "an ORC file"),
    "avro": (b"Obj\x01\x04\x14avro.codec", "an Avro file"),
    "numpy": (b"\x93NUMPY\x01\0", "a NumPy file"),
    "lz4": (b"\x04\x22\x4d\x18\x64\x40", "an LZ4 file"),
    "compress": (b"\x1f\x9d\x90", "a compress (.Z) file"),
    "webp": (b"RIFF\x24\0\0\0WEBPVP8 ", "a WebP file"),
    "heic": (b"\0\0\0\x20ftypheic\0\0", "HEIC"),
    "tiff": (b"II*\0\x08\0", "a TIFF file"),
    "rtf": (b"{\\rtf1\\ansi no data}", "an RTF file"),
    "postscript": (b"%!PS-Adobe-3.0\n", "a PostScript file"),
    # three lines in place of a large file
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n",
        "a Git LFS pointer",
    ),
}

# described sources open it
TAR = b"a.csv".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 300
OF_PLUGINS = ("json", "csv", "xml", "file")


def case(name: str, body: bytes, *says: str, **more: Any) -> Case:
    """A provider that answers with another file."""
    provider = PROVIDERS[name]
    return Case(
        Reply(body=body, content_type="application/octet-stream"),
        provider.params,
        {},
        kind=provider.kind,
        window=WINDOW,
        outcome="failed",
        says=says,
        **{"never": ("is not utf-8", "bug", "[content_types]"), **more},
    )


UNEXPECTED = {
    f"{kind}-for-{name}": case(name, body, word)
    for kind, (body, word) in FILES.items()
    for name in OF_PLUGINS
} | {
    f"{kind}-for-{name}": case(name, FILES[kind][0], FILES[kind][1])
    for kind in ("xlsx", "pdf")
    for name in ("eia", "fingrid", "energy-charts", "open-meteo", "smard", "elexon", "entsoe")
}
TEXTS = {
    # one text for another
    "xml-for-json": case("json", b'<?xml version="1.0"?><a><b/></a>', "is XML"),
    "xml-for-csv": case("csv", b'<?xml version="1.0"?>\n<a>\n<b x="1,2"/>\n</a>', "is XML"),
    "xml-for-file": case("file", b'<?xml version="1.0"?>\n<a>\n<b x="1,2"/>\n</a>', "is XML"),
    "json-for-xml": case("xml", b'{"a": [1, 2]}', "is JSON"),
    "json-for-csv": case("csv", b'{"error": "quota, try later"}', "is JSON"),
    "json-list-for-csv": case("csv", b'[{"t": "2025-06-02", "v": 1}]', "is JSON"),
    "json-for-file": case("file", b'{"a": [1, 2]}', "is JSON"),
    "tar-for-file": case("file", TAR, "a tar archive"),
    "utf-16-for-csv": case("csv", "t,v\n1,2\n".encode("utf-16"), "UTF-16", "encoding", never=()),
    "csv-for-json": case("json", b"t,v\n2025-06-02T00:00Z,1\n", "not JSON"),
    "csv-for-xml": case("xml", b"t,v\n2025-06-02T00:00Z,1\n", "not XML"),
}
PACKED = {
    f"{kind}-in-an-archive-for-{name}": case(
        name,
        archive(**{"readme__csv": PLAIN, f"data-2025__{kind}": FILES[kind][0]}),
        FILES[kind][1],
        f"data-2025.{kind}",
    )
    for PLAIN in (b"t,v\n2025-06-02T00:00Z,1\n",)
    for kind in ("xls", "xlsx", "pdf", "png", "parquet")
    for name in ("csv",)
} | {
    "gzip-of-an-xls": case("csv", gzip.compress(FILES["xls"][0]), "an Excel file"),
    "json-in-an-archive": case(
        "csv", archive(answer__json=b'{"error": "no"}'), "is JSON", "answer.json"
    ),
    "bad-text-in-an-archive": case(
        "csv",
        archive(werte__csv=b"t,v\n\xff\xfe\xfd,1\n"),
        "werte.csv",
        "utf-8",
        never=("bug",),
    ),
    "no-column-in-an-archive": case(
        "csv",
        archive(a__csv=b"t,v\n2025-06-02T00:00Z,1\n", b__csv=b"t,x\n"),
        "b.csv",
    ),
    "nested": case("csv", archive(month__zip=archive(day__xls=FILES["xls"][0])), "day.xls"),
    "bad-json-in-an-archive": case("json", archive(a__json=b"[1, "), "a.json"),
    "bad-xml-in-an-archive": case("xml", archive(a__xml=b"<a>"), "a.xml"),
    "entsoe": case("entsoe", archive(a__xml=b"<a>"), "a.xml"),
    "file": case("file", archive(a__csv=b"t,v\n"), "a ZIP file"),
}
CASES = UNEXPECTED | TEXTS | PACKED


@pytest.mark.parametrize("name", UNEXPECTED)
def test_a_file_of_another_kind_is_called_by_its_name(
    results: Mapping[str, Result], name: str
) -> None:
    """By its first bytes, whatever the provider calls it; of every plugin that reads answers."""
    results[name].check()


@pytest.mark.parametrize("name", TEXTS)
def test_one_text_for_another_is_called_by_its_name(
    results: Mapping[str, Result], name: str
) -> None:
    """XML, JSON and tables in each other's place."""
    results[name].check()


@pytest.mark.parametrize("name", PACKED)
def test_in_an_archive_the_member_is_named(results: Mapping[str, Result], name: str) -> None:
    """In whatever depth, and whatever is wrong with it."""
    results[name].check()


@pytest.mark.parametrize("kind", ["xls", "xlsx", "pdf", "parquet"])
def test_a_local_file_is_called_by_its_name(
    sources: SourceFile, env: dict[str, str], run_cli: RunCli, tmp_path: Path, kind: str
) -> None:
    """With its path."""
    body, word = FILES[kind]
    (tmp_path / f"load.{kind}").write_bytes(body)
    sources.csv("load", f"load.{kind}")
    sources.write()
    done = run_cli("-q", "fetch", "load", env=env)
    assert done.returncode == 3
    assert f"is {word}" in done.stderr
    assert f"load.{kind}" in done.stderr
