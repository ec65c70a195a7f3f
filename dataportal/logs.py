"""What is said along the way: one line an event on stderr, as text or JSON, without secrets.

Imported only when a run starts: structlog takes longer to import than the rest of start-up.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from dataportal.redaction import harmless, redact

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from structlog.typing import FilteringBoundLogger

    _Event = MutableMapping[str, Any]

_LONGEST = 2000
_LEVEL_WIDTH = len("critical")
# libraries that write whole URLs, keys included, or say only what is said anyway
_TALKATIVE = ("httpx", "httpcore", "asyncio", "stamina")


def configured(*, level: str, style: str) -> FilteringBoundLogger:
    """The logger for this process; also what plugins log with `logging` comes out of it.

    Args:
        level: the least that is shown: debug, info, warning, error or critical.
        style: `text` or `json`.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _traceback,
            _harmless,
            _as_json if style == "json" else _as_text,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_Stderr,
        cache_logger_on_first_use=False,
    )
    log: FilteringBoundLogger = structlog.get_logger()
    root = logging.getLogger()
    root.handlers[:] = [_Passed(log)]
    root.setLevel(number)
    logging.captureWarnings(capture=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    return log


class _Stderr:
    """Writes to whatever stderr is at the time: a progress bar may have put itself in front."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")

    debug = info = warning = error = critical = exception = msg


class _Passed(logging.Handler):
    """Hands records of the standard library's logging on to ours."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a plugin's wrong format string must not end its run
            text = str(record.msg)
        extra = {"exc_info": record.exc_info} if record.exc_info else {}
        self._log.log(record.levelno, text, logger=record.name, **extra)


def _traceback(_logger: Any, _method: str, event: _Event) -> _Event:
    """Tracebacks are shown in full, and only to who asked for debugging."""
    error = event.pop("exc_info", None)
    if error and logging.getLogger().isEnabledFor(logging.DEBUG):
        error = sys.exc_info()[1] if error is True else error
        error = error[1] if isinstance(error, tuple) else error
        event["traceback"] = "".join(traceback.format_exception(error)).splitlines()
    return event


def _harmless(_logger: Any, _method: str, event: _Event) -> _Event:
    lines = event.pop("traceback", None)
    clean: _Event = {key: _clean(value) for key, value in event.items()}
    if lines is not None:
        clean["traceback"] = "\n".join(harmless(redact(line), _LONGEST) for line in lines)
    return clean


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return harmless(redact(str(value)), _LONGEST)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_json(_logger: Any, _method: str, event: _Event) -> str:
    said = {"time": _now(), "level": event.pop("level"), "message": event.pop("event"), **event}
    return json.dumps(said)


def _as_text(_logger: Any, _method: str, event: _Event) -> str:
    level, message = event.pop("level"), event.pop("event")
    lines = event.pop("traceback", None)
    source = event.pop("source", None)
    rest = "".join(f" {key}={value}" for key, value in event.items())
    said = f"{_now()} {level:<{_LEVEL_WIDTH}} {f'{source}: ' if source else ''}{message}{rest}"
    return f"{said}\n{lines}" if lines else said
