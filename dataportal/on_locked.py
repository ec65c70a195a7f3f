"""What a run does about a source that another run holds: skip it, wait for it, or fail."""

from enum import StrEnum


class OnLocked(StrEnum):
    """What to do about a source whose lock another run holds."""

    SKIP = "skip"
    WAIT = "wait"
    FAIL = "fail"
