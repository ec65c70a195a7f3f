"""What a verification has found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from dataportal.render.console import printable
from dataportal.render.json_output import dumped
from dataportal.render.tables import Table, drawn
from dataportal.store.read.verify import Check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dataportal.store.read.verify import Fault


@dataclass(slots=True)
class Findings:
    """All faults counted, and the first `limit` of each check kept."""

    since: datetime | None
    limit: int
    counted: dict[Check, int] = field(default_factory=lambda: dict.fromkeys(Check, 0))
    kept: dict[Check, list[Fault]] = field(default_factory=lambda: {check: [] for check in Check})

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not any(self.counted.values())

    def add(self, fault: Fault) -> None:
        """One more."""
        self.counted[fault.check] += 1
        if len(self.kept[fault.check]) < self.limit:
            self.kept[fault.check].append(fault)

    def document(self) -> Iterator[str]:
        """The JSON that `verify` answers with."""
        yield dumped(
            {
                "ok": self.ok,
                "since": self.since,
                "checks": [
                    {
                        "check": check,
                        "ok": not self.counted[check],
                        "found": self.counted[check],
                        "keys": [
                            {
                                "series": fault.series,
                                "series_id": fault.series_id,
                                "ts": fault.ts,
                                "valid_from": fault.valid_from,
                                "published_at": fault.published_at,
                                "run_id": fault.run_id,
                                "message": fault.message,
                            }
                            for fault in self.kept[check]
                        ],
                    }
                    for check in Check
                ],
            }
        )

    def table(self, stream: TextIO | None = None) -> Iterator[str]:
        """A line for each promise, as it suits `stream` (stdout)."""
        table = Table(("check", "verdict", ">found", "what"), moods={"ok": "good", "BROKEN": "bad"})
        for check, count in self.counted.items():
            table.add(check, "BROKEN" if count else "ok", f"{count:,}", check.promise)
        yield from drawn(table, stream)

    def keys(self) -> Iterator[str]:
        """A line for each fault kept, and one where there were more of them."""
        for check, faults in self.kept.items():
            for fault in faults:
                yield printable(f"{check}: {_key(fault)}: {fault.message}")
            if more := self.counted[check] - len(faults):
                yield f"{check}: and {more:,} more; --limit shows more of them"


def _key(fault: Fault) -> str:
    parts = [fault.series or (f"series_id {fault.series_id}" if fault.series_id else "")]
    parts += [f"at {fault.ts}" if fault.ts else ""]
    parts += [f"known since {fault.valid_from}" if fault.valid_from else ""]
    parts += [f"published {fault.published_at}" if fault.published_at else ""]
    parts += [f"run {fault.run_id}" if fault.run_id is not None else ""]
    return " ".join(part for part in parts if part)
