"""Shows which promises of the history `verify` found broken, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.render.console import printable
from dataportal.render.formatting import format_second, pluralize
from dataportal.render.tables import Table
from dataportal.store.read.verify import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import tzinfo

    from dataportal.store.read.verify import Fault, Scope
    from dataportal.store.verifications import LatestVerification

_WAY_ON = "do not repair it at once: copy the database as it is and keep this; what next"


@dataclass(slots=True)
class VerifyView:
    """The answer of `verify`: counts all faults that are added, keeps the first of each check.

    Attributes:
        scope: what was looked at.
        limit: how many faults of each check are kept.
        counts: how many faults each check found.
        kept: the faults that are named.
    """

    scope: Scope
    limit: int
    counts: dict[Check, int] = field(default_factory=lambda: dict.fromkeys(Check, 0))
    kept: dict[Check, list[Fault]] = field(default_factory=lambda: {check: [] for check in Check})

    @property
    def ok(self) -> bool:
        """Whether no fault was added."""
        return not any(self.counts.values())

    def add(self, fault: Fault) -> None:
        """Count a fault, and keep it if it is one of the first of its check."""
        self.counts[fault.check] += 1
        if len(self.kept[fault.check]) < self.limit:
            self.kept[fault.check].append(fault)

    def take(self, counts: Mapping[Check, int], faults: Sequence[Fault]) -> None:
        """Take over what was found before, of which not all is named."""
        for check, count in counts.items():
            self.counts[check] += count
        for fault in faults:
            if len(self.kept[fault.check]) < self.limit:
                self.kept[fault.check].append(fault)

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A table with a row for each promise, the faults that are kept, and how to go on."""
        table = Table(("check", "verdict", ">found", "what"), moods={"ok": "good", "BROKEN": "bad"})
        for check, count in self._counts_by_check():
            table.add(check, "BROKEN" if count else "ok", f"{count:,}", check.promise)
        yield from table.lines(stream)
        for check, faults in self.kept.items():
            for fault in faults:
                yield printable(f"{check}: {_key(fault)}: {fault.message}")
            if more := self.counts[check] - len(faults):
                yield f"{check}: and {more:,} more; --limit shows more of them"
        if not self.ok:
            yield f"{_WAY_ON}: dataportal help verify"

    def document(self) -> Mapping[str, Any]:
        """`checks`, each with how many faults it found and the keys of the first."""
        return {
            "ok": self.ok,
            "since": self.scope.since,
            "sample": self.scope.sample,
            "checks": [
                {
                    "check": check,
                    "ok": not self.counts[check],
                    "found": self.counts[check],
                    "keys": [_fields(fault) for fault in self.kept[check]],
                }
                for check, _ in self._counts_by_check()
            ],
        }

    def faults(self) -> list[Fault]:
        """Those that are named, of all checks."""
        return [fault for faults in self.kept.values() for fault in faults]

    def _counts_by_check(self) -> Iterator[tuple[Check, int]]:
        for check, count in self.counts.items():
            if check in self.scope.checks:
                yield check, count


def verification_text(verification: LatestVerification, zone: tzinfo) -> str:
    """What was verified, when, and what came of it."""
    parts = []
    if verification.sample is not None:
        parts.append(f"{100 * verification.sample:.3g} % of the time")
    if verification.since is not None:
        parts.append(f"since {format_second(verification.since, zone)}")
    if len(verification.checks) < len(Check):
        parts.append(", ".join(verification.checks))
    scope = "everything" if verification.is_whole else " · ".join(parts)
    found = pluralize(verification.found, "fault") if verification.found else "well"
    return f"{scope} at {format_second(verification.finished_at, zone)}: {found}"


def _fields(fault: Fault) -> dict[str, Any]:
    return {
        "series": fault.series,
        "series_id": fault.series_id,
        "ts": fault.ts,
        "valid_from": fault.valid_from,
        "published_at": fault.published_at,
        "run_id": fault.run_id,
        "message": fault.message,
    }


def _key(fault: Fault) -> str:
    words = [fault.series or (f"series_id {fault.series_id}" if fault.series_id else "")]
    words += [f"at {fault.ts}" if fault.ts else ""]
    words += [f"known since {fault.valid_from}" if fault.valid_from else ""]
    words += [f"published {fault.published_at}" if fault.published_at else ""]
    words += [f"run {fault.run_id}" if fault.run_id is not None else ""]
    return " ".join(word for word in words if word)
