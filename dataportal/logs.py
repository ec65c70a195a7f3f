"""Configures logging: one line an event on stderr, as text or JSON, without secrets."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any

from dataportal.json_text import to_json
from dataportal.redaction import harmless, redact
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

_LONGEST = 2000
_LEVEL_WIDTH = len("critical")
# libraries that write whole URLs, keys included, or what is logged here anyway
_TALKATIVE = ("httpx", "httpcore", "asyncio", "stamina")


class Log(logging.LoggerAdapter[logging.Logger]):
    """Takes what belongs to a message as keywords: `log.info("waits", source="smard")`."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """As the standard library calls it for each message."""
        error = kwargs.pop("exc_info", None)
        return msg, {"exc_info": error, "extra": {"details": {**kwargs}}}


def configure_logging(*, level: str, style: str, write: Callable[[str], object]) -> Log:
    """Configure the log of this process, and return it; what plugins log comes out of it too.

    Args:
        level: the least that is shown: debug, info, warning, error or critical.
        style: `text` or `json`.
        write: called with each line, its end included.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers[:] = [_Lines(_as_json if style == "json" else _as_text, write)]
    root.setLevel(number)
    logging.captureWarnings(capture=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    # of a connection that is lost it warns besides what it raises, and that is shown with a hint
    logging.getLogger("psycopg").setLevel(max(number, logging.ERROR))
    # of no tree that a plugin can empty, switch off or lead elsewhere
    logger = logging.Logger("dataportal", number)  # noqa: LOG001 - see above
    logger.manager = logging.Manager(logging.RootLogger(number))
    logger.addHandler(root.handlers[0])
    return Log(logger)


class _Lines(logging.Handler):
    """Writes a line for each record."""

    def __init__(
        self, line: Callable[[dict[str, Any]], str], write: Callable[[str], object]
    ) -> None:
        super().__init__()
        self._line = line
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        self._write(self._line(_event(record)) + "\n")


def _event(record: logging.LogRecord) -> dict[str, Any]:
    """The level, the message and the details of a record, harmless all of them."""
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - a plugin's wrong format string must not end its run
        message = str(record.msg)
    details = getattr(record, "details", {"logger": record.name})
    fields = {"level": record.levelname.lower(), "message": message, **details}
    event = {key: _clean(value) for key, value in fields.items()}
    # tracebacks are shown in full, and only to who asked for debugging
    error = record.exc_info and record.exc_info[1]
    if error and logging.getLogger().isEnabledFor(logging.DEBUG):
        lines = "".join(traceback.format_exception(error)).splitlines()
        event["traceback"] = "\n".join(harmless(redact(line), _LONGEST) for line in lines)
    return event


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return harmless(redact(str(value)), _LONGEST)


def _timestamp() -> str:
    return utc_now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_json(event: dict[str, Any]) -> str:
    return to_json({"time": _timestamp(), **event})


def _as_text(event: dict[str, Any]) -> str:
    level, message = event.pop("level"), event.pop("message")
    traceback_lines = event.pop("traceback", None)
    source = event.pop("source", None)
    prefix = f"{source}: " if source else ""
    details = "".join(f" {key}={value}" for key, value in event.items())
    line = f"{_timestamp()} {level:<{_LEVEL_WIDTH}} {prefix}{message}{details}"
    return f"{line}\n{traceback_lines}" if traceback_lines else line
