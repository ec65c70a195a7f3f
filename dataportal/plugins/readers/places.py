"""Where a text stands: in a local file, or at a URL."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dataportal.errors import PermanentError, TransientError
from dataportal.plugins.readers.rate_limits import limit_if_given
from dataportal.plugins.readers.table_parameters import encoding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.readers.parameters import Params


class Place:
    """A file or a URL, from the parameters of a source.

    - `path`: the file; relative to the folder of sources.yaml.
    - `url`: or its address. `base_url`: put in front of a `url` that is only a path.
    - `headers`: sent with the request. `per_minute`: how often its host is asked at most.
    - `encoding`: by default the one that a URL's answer declares, else UTF-8.
    """

    def __init__(self, params: Params) -> None:
        self._path = params.text("path")
        self._url = params.text("url")
        base_url = params.text("base_url")
        if bool(self._path) == bool(self._url):
            params.fault("give either path or url")
        if base_url and (self._path or "://" in self._url):
            params.fault("base_url goes with a url that is only a path, such as data/prices.csv")
        elif base_url:
            self._url = f"{base_url.rstrip('/')}/{self._url.lstrip('/')}"
        self._headers = params.mapping("headers")
        self._limit = limit_if_given(params)
        self._encoding = encoding(params)

    @asynccontextmanager
    async def lines(
        self, root: Path, http: Callable[[], HttpClient]
    ) -> AsyncIterator[tuple[Iterable[str] | None, str]]:
        """The text's lines with their ends as they are, and its name, fit to be shown.

        No lines if the server says that they are as they were when they were stored.

        Args:
            root: where a relative path starts.
            http: gives the client; asked only if there is a URL.

        Raises:
            PermanentError: it is not there, or may not be read.
            TransientError: the host is out of reach, or the disk fails.
            BadDataError: the answer is a page, or no text.
        """
        if self._url:
            answer = await http().get(self._url, headers=self._headers, limit=self._limit)
            if answer.unchanged:
                yield None, answer.url
                return
            if answer.is_page:
                raise answer.bad("is a page of HTML, not a table")
            yield io.StringIO(answer.text(self._encoding or None), newline=""), answer.url
            answer.keep()
            return
        path = root / self._path
        name = self._encoding.lower().replace("_", "-")
        if name in {"", "utf-8", "utf8"}:
            name = "utf-8-sig"  # which also reads what begins without a byte order mark
        try:
            with path.open(encoding=name, newline="") as lines:
                yield lines, str(path)
        except FileNotFoundError:
            raise PermanentError(
                f"there is no file {path}",
                hint="A relative path starts at the folder of sources.yaml",
            ) from None
        except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
            raise PermanentError(f"{path} cannot be read: {error.strerror}") from None
        except OSError as error:
            raise TransientError(f"{path} could not be read: {error.strerror}") from None
