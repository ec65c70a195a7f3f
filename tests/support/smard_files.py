"""SMARD's files for tests: recordings where they are at hand, and small ones of our own always.

The recordings are not part of this repository; they are looked for in the folder beside it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from support.http_server import Reply
from support.recordings import RECORDINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.http_server import LocalServer

_NAME = re.compile(r"(\d+)_([A-Za-z0-9-]+)_([a-z]+)_(\d+)(?:__created_([0-9TZ]+))?\.json")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Points = dict[datetime, float | None]


@dataclass(frozen=True, slots=True)
class Recording:
    """One file of SMARD as it was at one time."""

    filter: str
    region: str
    resolution: str
    stamp: int
    created: str
    raw: bytes

    @property
    def series(self) -> tuple[str, str, str]:
        """The series it is of."""
        return self.filter, self.region, self.resolution

    @property
    def name(self) -> str:
        """Tells it from the others."""
        return "-".join([*self.series, str(self.stamp), self.created or "once"])

    @property
    def points(self) -> Points:
        """What it says, read with nothing but the standard library."""
        pairs = json.loads(self.raw)["series"]
        return {_EPOCH + timedelta(milliseconds=stamp): value for stamp, value in pairs}

    def serve(self, server: LocalServer) -> None:
        """Put the file where SMARD has it."""
        name = "_".join([*self.series, str(self.stamp)])
        server.answer(f"/{self.filter}/{self.region}/{name}.json", Reply(body=self.raw))


def serve_index(server: LocalServer, series: tuple[str, str, str], stamps: Sequence[int]) -> None:
    """Put an index with these stamps where SMARD has that of the series."""
    which, region, resolution = series
    path = f"/{which}/{region}/index_{resolution}.json"
    server.answer(path, Reply.json({"timestamps": list(stamps)}))


def recordings() -> list[Recording]:
    """Those of the folder, oldest first, and the small ones of our own."""
    result = list(_OWN)
    for path in sorted((RECORDINGS / "smard").rglob("*.json")):
        if match := _NAME.fullmatch(path.name):
            which, region, resolution, stamp, created = match.groups()
            raw = path.read_bytes()
            result.append(Recording(which, region, resolution, int(stamp), created or "", raw))
    return sorted(
        result, key=lambda recording: (recording.series, recording.stamp, recording.created)
    )


def histories() -> dict[str, list[Recording]]:
    """Of each file that was recorded more than once its recordings, in order of publication."""
    by_file: dict[str, list[Recording]] = {}
    for recording in recordings():
        by_file.setdefault("-".join([*recording.series, str(recording.stamp)]), []).append(
            recording
        )
    return {name: several for name, several in by_file.items() if len(several) > 1}


def _own(created: str, values: Sequence[float | None]) -> Recording:
    first = 1761429600000  # Sunday 26 October 2025 in Berlin begins: a day of 25 hours
    pairs = [[first + hour * 3_600_000, value] for hour, value in enumerate(values)]
    content = {"meta_data": {"version": 1, "created": first}, "series": pairs}
    return Recording("1", "DE", "hour", first, created, json.dumps(content).encode())


_OWN = [
    # half of the day, with a hole
    _own("20251026T120000Z", [1.0, 2.0, None, 4.0, 5.5, *range(6, 13), *[None] * 13]),
    # the hole filled, two values revised, the day complete
    _own("20251027T120000Z", [1.0, 2.25, 3.0, 4.0, 5.0, *range(6, 26)]),
    # one value withdrawn, one revised back to what it was at first
    _own("20251028T120000Z", [1.0, 2.0, 3.0, None, 5.0, *range(6, 26)]),
    # the withdrawn value back as it was
    _own("20251029T120000Z", [1.0, 2.0, 3.0, 4.0, 5.0, *range(6, 26)]),
    # nothing new
    _own("20251030T120000Z", [1.0, 2.0, 3.0, 4.0, 5.0, *range(6, 26)]),
]
