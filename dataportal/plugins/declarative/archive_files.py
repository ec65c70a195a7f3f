"""Takes the files out of answers: of archives, by their names, and of texts within JSON."""

from __future__ import annotations

import base64
import binascii
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

from dataportal.plugins.parameters import Parameters, about, written_as
from dataportal.plugins.readers.archives import (
    ArchiveError,
    UnwantedFilesError,
    unpack,
)
from dataportal.plugins.readers.expressions import Expression
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.archives import (
        ArchiveFile,
    )
    from dataportal.plugins.readers.parameters import Params

_MAX_BYTES = 256 * 1024 * 1024  # of all files of an archive
_LISTED, _WIDTH = 12, 80


class ArchiveParameters(Parameters):
    """Which files of an answer are read."""

    member: Annotated[
        tuple[str, ...],
        about(
            "of an archive (.zip, .tar, .gz, also in one another) only files of this name are "
            "read, with `*` and `?`, or of one of several; names of archives in archives stand "
            "before it: `outer.zip/*.csv` (all)",
            examples=("produkt_*.txt",),
            single=True,
        ),
    ] = ()
    base64: Annotated[
        Expression | None,
        about("the place in an answer of JSON of a file in base64, which is read in its place"),
        written_as(Expression),
    ] = None
    embedded: Annotated[
        Expression | None,
        about("the same of a document that stands there as a text"),
        written_as(Expression),
    ] = None


class ArchiveFiles:
    """Takes files out of answers, from the parameters of a source; see `ArchiveParameters`."""

    def __init__(self, params: Params | None = None) -> None:
        given = ArchiveParameters() if params is None else params.read(ArchiveParameters)
        self._members = given.member
        self._base64, self._embedded = given.base64, given.embedded
        if params is not None and None not in (given.base64, given.embedded):
            params.add_fault("give one of base64 and embedded", "embedded")
        if params is not None and given.embedded is not None and params.first_given("encoding"):
            params.add_fault("encoding does not go with embedded: JSON has texts", "encoding")

    @property
    def are_texts(self) -> bool:
        """Whether they stand as texts in an answer, and are in UTF-8, whatever that is in."""
        return self._embedded is not None

    def of(self, answer: Answer) -> list[ArchiveFile]:
        """The files of an answer; itself, without a name, if it is no archive.

        Raises:
            BadDataError: it cannot be opened, or has no such file; names those that there are.
        """
        body = answer.body
        if self._base64 is not None:
            body = self._content(answer, self._base64)
        elif self._embedded is not None:
            body = _text_at(answer, self._embedded, "document").encode(errors="surrogatepass")
        try:
            files = unpack(body, limit=_MAX_BYTES, is_wanted=self._is_wanted)
        except UnwantedFilesError as error:
            names = ", ".join(harmless(name, _WIDTH) for name in error.names[:_LISTED])
            more = ", …" if len(error.names) > _LISTED else ""
            members = " or ".join(map(repr, self._members))
            raise answer.bad(
                f"is an archive without a file {members}; its files are {names}{more}"
            ) from None
        except ArchiveError as error:
            raise answer.bad(f"is an archive that cannot be opened: {error}") from None
        if not files:
            raise answer.bad("is an archive without a file")
        return files

    def _is_wanted(self, path: str) -> bool:
        if not self._members:
            return True
        name = path.rpartition("/")[2]
        return any(fnmatchcase(path, own) or fnmatchcase(name, own) for own in self._members)

    @staticmethod
    def _content(answer: Answer, place: Expression) -> bytes:
        """The file in base64 in an answer."""
        text = _text_at(answer, place, "file in base64")
        _, _, content = text.strip().rpartition("base64,")  # of an address that is the data
        try:
            return base64.b64decode("".join(content.split()), validate=True)
        except (binascii.Error, ValueError):
            raise answer.bad(f"has a text at {place.text!r} that is no base64") from None


def _text_at(answer: Answer, place: Expression, what: str) -> str:
    text = place.find(answer.json())
    if not isinstance(text, str) or not text.strip():
        raise answer.bad(f"has no {what} at {place.text!r}")
    return text
