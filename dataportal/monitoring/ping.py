"""Pings a dead man's switch: that a command begins, and how it ended.

The convention of healthchecks.io (https://healthchecks.io/docs/http_api/), which others share:
URL/start, URL for a success, URL/CODE for another exit code, URL/fail where there is none; `rid`
ties the two pings of one command together.
"""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from dataportal.errors import ConfigurationError
from dataportal.redaction import remember_secret
from dataportal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from urllib.parse import SplitResult

_PATIENCE = 5.0
"""Seconds that a command waits for its pings, after its work."""
_LONGEST_BODY = 10_000  # bytes, of which the last are sent


class Ping:
    """The pings of one command. They are sent from a thread, and never raise.

    Args:
        url: of the check; it is a secret.

    Raises:
        ConfigurationError: not an HTTP URL.
    """

    def __init__(self, url: str) -> None:
        parts = _url_parts(url.strip())
        remember_secret(url.strip())
        remember_secret(parts.path.rstrip("/").rpartition("/")[2])
        self._parts = parts
        self._id = str(uuid.uuid4())
        self._messages: SimpleQueue[tuple[str, bytes] | None] = SimpleQueue()
        self._deadline: float | None = None
        self._fault: str | None = None
        self._thread = threading.Thread(target=self._work, name="ping", daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Tell that the command begins; waits for nothing."""
        self._messages.put(("start", b""))

    def finish(
        self, code: int | None, lines: Sequence[str], *, patience: float = _PATIENCE
    ) -> str | None:
        """Tell how the command ended, and wait for the answers.

        Args:
            code: its exit code; None for an end that has none.
            lines: what it said, of which the last are sent along.
            patience: seconds to wait at most.

        Returns:
            Why a ping did not arrive; None where all did.
        """
        path = "fail" if code is None else str(code) if code else ""
        body = "\n".join(lines).encode()[-_LONGEST_BODY:]
        self._deadline = time.monotonic() + patience
        self._messages.put((path, body))
        self._messages.put(None)
        self._thread.join(patience)
        if self._thread.is_alive():
            return f"no answer within {patience:g} s"
        return self._fault

    def _work(self) -> None:
        while (message := self._messages.get()) is not None:
            try:
                self._send(*message)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must harm no run
                self._fault = f"{type(error).__name__}: {error}" if str(error) else repr(error)

    def _send(self, path: str, body: bytes) -> None:
        import httpx

        parts = self._parts
        whole_path = "/".join(part for part in (parts.path.rstrip("/"), path) if part)
        query = "&".join(part for part in (parts.query, f"rid={self._id}") if part)
        url = urlunsplit((parts.scheme, parts.netloc, whole_path, query, ""))
        left = _PATIENCE
        if self._deadline is not None:
            left = max(0.1, self._deadline - time.monotonic())
        headers = {"User-Agent": f"dataportal/{__version__}"}
        # what else is answered nobody reads, so that it may be without an end
        with httpx.stream("POST", url, content=body, timeout=left, headers=headers) as response:
            if not response.is_success:
                moved = "; it is not followed: name the address itself" * response.is_redirect
                self._fault = f"the answer was {response.status_code}{moved}"


def _url_parts(url: str) -> SplitResult:
    """The parts of the address of a check.

    Raises:
        ConfigurationError: not one HTTP URL.
    """
    # urlsplit takes line ends out, and makes one address of two
    if not any(character.isspace() or not character.isprintable() for character in url):
        with suppress(ValueError):
            parts = urlsplit(url)
            if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
                return parts
    raise ConfigurationError(
        "the ping URL is not one address that begins with http:// or https://",
        hint="Copy it from the check's page: DATAPORTAL_PING_URL",
    )
