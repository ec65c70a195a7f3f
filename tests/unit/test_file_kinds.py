"""Files are called by their names, and no text is taken for one."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.plugins.http.file_kinds import file_kind, is_office_file, text_kind


def zip_archive(**members: bytes) -> bytes:
    """A ZIP archive; `__` stands for a slash."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return body.getvalue()


XLSX = zip_archive(**{"[Content_Types].xml": b"<Types/>", "xl__workbook.xml": b"<workbook/>"})
ODS = zip_archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (XLSX, "an Excel file"),
        (zip_archive(**{"[Content_Types].xml": b"", "ppt__slide.xml": b""}), "a PowerPoint file"),
        (ODS, "an OpenDocument file"),
        (zip_archive(data=b"t,v"), "a ZIP file"),
        (b"PK\x03\x04 cut off", "a ZIP file"),
        (b"%PDF-1.4", "a PDF file"),
        (b"BZh91AY&SY\0", "a bzip2 file"),
        (b"ORC\x08\0", "an ORC file"),
        (b"\0\0\0\x1cftypavif", "a video, or an AVIF or HEIC file"),
    ],
)
def test_files_are_known_by_what_only_they_have(body: bytes, kind: str) -> None:
    """By their first bytes, and of archives by a file in them."""
    assert file_kind(body) == kind
    assert is_office_file(body) == (body in {XLSX, ODS} or "PowerPoint" in kind)


def test_a_tar_archive_is_known_by_its_magic() -> None:
    """Which stands behind the name of the first file."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("data.csv"))
    assert file_kind(body.getvalue()) == "a tar archive"


@given(st.text(max_size=400))
def test_text_is_no_file(text: str) -> None:
    """Whatever it begins with, but for the magic of a format that is text itself."""
    begins = ("%PDF-", "%!PS-Adobe", "{\\rtf", "GIF87a", "GIF89a", "PAR1", "FEA1", "version http")
    if not text.startswith(begins) and "\0" not in text and text[4:8] != "ftyp":
        assert file_kind(text.encode()) == ""


@pytest.mark.parametrize(
    "text", ["BZh,price", "ORC,1\nORC,2", "PK,1", "CDF;1", "Objects,1", "MMXXV"]
)
def test_tables_that_begin_like_a_file(text: str) -> None:
    """The first column may have any name."""
    assert file_kind(text.encode()) == ""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<?xml version='1.0'?><a/>", "XML"),
        ("\ufeff  <!DOCTYPE html><p>", "a page of HTML"),
        ("<HTML><body>", "a page of HTML"),
        ('{"a": 1}', "JSON"),
        ("{}", "JSON"),
        ('[{"a": 1}]', "JSON"),
        ("[]", "JSON"),
        ("[1] price,time", ""),
        ("{start},price", ""),
        ("t,v\n", ""),
        ("", ""),
    ],
)
def test_texts_are_known_by_how_they_begin(text: str, kind: str) -> None:
    """A table whose first cell begins with a bracket is one."""
    assert text_kind(text.encode()) == kind
