"""Debian's Chromium without a window, driven through its DevTools protocol over two pipes.

Protocol: https://chromedevtools.github.io/devtools-protocol/. With `--remote-debugging-pipe` the
browser reads from descriptor 3 and writes to 4: JSON documents, each with a zero byte at its end.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = shutil.which("chromium")
_FLAGS = (
    *("--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb"),
    "--remote-debugging-pipe",
)
# the numbers are first brought out of the way of those that the browser wants
_HAND_OVER = """
import fcntl, os, sys
reading, writing = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(reading, 3)
os.dup2(writing, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Page:
    """A page in the browser, of which `requests` are the addresses that it asked for."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._in, self._out = os.fdopen(to_browser, "wb"), os.fdopen(from_browser, "rb")
        self._number = 0
        self._buffer = b""
        self._session: str | None = None
        self._events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._call(f"{domain}.enable")

    def close(self) -> None:
        """Let go of the pipes; the browser ends then."""
        self._in.close()
        self._out.close()

    def open(self, url: str, *, width: int, dark: bool = False, script: bool = True) -> None:
        """Open an address in a window of that width, in the light or the dark scheme."""
        self._events.clear()
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._call("Emulation.setScriptExecutionDisabled", value=not script)
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        self._call("Page.navigate", url=url)
        while all(event["method"] != "Page.loadEventFired" for event in self._events):
            self._events.append(self._receive())

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for, its own included."""
        sent = [e for e in self._events if e["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    @property
    def complaints(self) -> list[str]:
        """What the browser wrote to its console, such as what a policy forbade."""
        entries = [e for e in self._events if e["method"] == "Log.entryAdded"]
        return [event["params"]["entry"]["text"] for event in entries]

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; promises are awaited."""
        answer = self._call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press a key of the keyboard."""
        for kind in ("keyDown", "keyUp"):
            self._call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    def accessible_names(self) -> list[tuple[str, str]]:
        """Role and name of everything that a screen reader is told of, in order."""
        nodes = self._call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"]
        ]

    def screenshot(self, path: Path) -> None:
        """A picture of the whole page."""
        answer = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _call(self, method: str, **params: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._in.write(json.dumps(message).encode() + b"\0")
        self._in.flush()
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            if "method" in answer:
                self._events.append(answer)

    def _receive(self) -> Any:
        while b"\0" not in self._buffer:
            chunk = os.read(self._out.fileno(), 1 << 20)
            assert chunk, "the browser is gone"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


@contextmanager
def open_browser(folder: Path) -> Iterator[Page]:
    """A page of a browser that keeps what it remembers in that folder, and is ended at the end."""
    assert PROGRAM is not None
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()

    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _HAND_OVER, str(their_in), str(their_out)),
            # its sandbox is none for root, and needs rights that a container lacks
            *(PROGRAM, *_FLAGS, "--no-sandbox", f"--user-data-dir={folder}"),
        ],
        env={**os.environ, "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(their_in, their_out),
    )
    os.close(their_in)
    os.close(their_out)
    page = Page(our_out, our_in)
    try:
        yield page
    finally:
        page.close()
        process.terminate()
        process.wait(20)
