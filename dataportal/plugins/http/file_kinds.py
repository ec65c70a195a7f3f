"""Names the kind of a file by its first bytes: an Excel file, a PDF file, XML, JSON."""

from __future__ import annotations

import io
import zipfile

_BEGINNINGS = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel file, or another one of old Office"),
    (b"%PDF-", "a PDF file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG file"),
    (b"\xff\xd8\xff", "a JPEG file"),
    (b"GIF87a", "a GIF file"),
    (b"GIF89a", "a GIF file"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1\0\0", "an Arrow file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip file"),
    (b"Rar!\x1a\x07", "a RAR file"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"BZh", "a bzip2 file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"SQLite format 3\0", "a SQLite file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"CDF\x01", "a NetCDF file"),
    (b"CDF\x02", "a NetCDF file"),
    (b"CDF\x05", "a NetCDF file"),
    (b"GRIB\0", "a GRIB file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x1f\x9d", "a compress (.Z) file"),
    (b"\x04\x22\x4d\x18", "an LZ4 file"),
    (b"FEA1", "a Feather file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"{\\rtf", "an RTF file"),
    (b"%!PS-Adobe", "a PostScript file"),
    (b"\x7fELF", "a program"),
    (b"II*\0", "a TIFF file"),
    (b"MM\0*", "a TIFF file"),
    (b"version https://git-lfs.github.com/", "a Git LFS pointer, and not the file itself"),
)
_WITHIN = (
    (257, b"ustar", "a tar archive"),
    (8, b"WEBPVP8", "a WebP file"),
    (8, b"WAVEfmt ", "a WAV file"),
    (4, b"ftyp", "a video, or an AVIF or HEIC file"),
)
"""Where in a file what stands that tells its kind."""
_BEGINNING = 4096
_BZIP2_MAGIC = b"1AY&SY"
_ZIP = b"PK\x03\x04"
# by a file, or the beginning of one, that only such archives have
_OFFICE = (("xl/", "an Excel file"), ("word/", "a Word file"), ("ppt/", "a PowerPoint file"))
_OPEN_DOCUMENT = "an OpenDocument file"


def file_kind(body: bytes) -> str:
    """What a file is that is no text, with its article; "" for text, and for what is not known."""
    if body.startswith(_ZIP):
        return _office_kind(body) or "a ZIP file"
    for beginning, kind in _BEGINNINGS:
        if body.startswith(beginning):
            # a text may begin with these three letters
            is_text = (beginning == b"BZh" and body[4:10] != _BZIP2_MAGIC) or (
                beginning == b"ORC" and b"\0" not in body[:_BEGINNING]
            )
            return "" if is_text else kind
    for position, magic, kind in _WITHIN:
        if body.startswith(magic, position):
            return kind
    return ""


def text_kind(body: bytes) -> str:
    """XML, JSON or a page of HTML, where that is how a text begins; else ""."""
    start = body[:2000].removeprefix(b"\xef\xbb\xbf").lstrip()
    lower = start[:15].lower()
    if lower.startswith((b"<!doctype html", b"<html")):
        return "a page of HTML"
    if lower.startswith(b"<?xml"):
        return "XML"
    # what stands behind tells JSON from a table whose first cell begins with a bracket
    rest = start[1:].lstrip()[:1]
    if (start[:1] == b"{" and rest in b'"}') or (start[:1] == b"[" and rest in b'{["]'):
        return "JSON"
    return ""


def is_office_file(body: bytes) -> bool:
    """Whether this archive is a document of an office program, which nobody unpacks."""
    return bool(_office_kind(body))


def _office_kind(body: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = set(archive.namelist())
            if "[Content_Types].xml" in names:
                for beginning, kind in _OFFICE:
                    if any(name.startswith(beginning) for name in names):
                        return kind
            if "mimetype" in names:
                mimetype = archive.read("mimetype")[:100]
                if mimetype.startswith(b"application/vnd.oasis.opendocument"):
                    return _OPEN_DOCUMENT
    except (zipfile.BadZipFile, OSError, RuntimeError, EOFError, ValueError, NotImplementedError):
        return ""
    return ""
