"""The settings of a command, from the environment and its options: one frozen value."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataportal.bounded_files import read_beginning
from dataportal.errors import ConfigurationError
from dataportal.redaction import remember_secret
from dataportal.times import time_zone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
LOG_FORMATS = ("text", "json")
_LONGEST_URL = 8192  # bytes; a file without an end must not fill the memory
_PIPE_PATIENCE = 5.0  # seconds for whoever writes a URL into a pipe


@dataclass(frozen=True, slots=True)
class Settings:
    """How a command runs. `database_url` None means the embedded server.

    Attributes:
        embedded_named: whether the embedded server was asked for by name, as `embedded:`.
        embedded_home: the folder that `embedded:/path` names; None for the user's own.
        read_url: the database that commands which only read ask, such as a replica; None for the
            same.
        progress_interval: seconds between two log lines about a backfill; 0 for none.
    """

    database_url: str | None = None
    embedded_named: bool = False
    embedded_home: Path | None = None
    read_url: str | None = None
    config_path: Path = Path("sources.yaml")
    log_level: str = "info"
    log_format: str = "text"
    quiet: bool = False
    zone: tzinfo = UTC
    max_retries: int = 3
    retry_delay: float = 60.0
    progress_interval: float = 60.0

    def override(self, **options: Any) -> Settings:
        """These settings with the options of the command line in their place; None is no option.

        Raises:
            ConfigurationError: the database's URL cannot be used.
        """
        changes = {name: value for name, value in options.items() if value is not None}
        if "database_url" in changes:
            settings = self.with_database(changes.pop("database_url"), "--database-url")
            return replace(settings, **changes)
        return replace(self, **changes)

    def with_database(self, text: str, origin: str) -> Settings:
        """These settings with the database that a text names, also for reading.

        Args:
            text: a URL.
            origin: what a message calls the place where it was written.

        Raises:
            ConfigurationError: it cannot be used.
        """
        return replace(self, **_database(text, origin) | {"read_url": None})

    def for_reading(self) -> Settings:
        """The settings of a command that only reads."""
        return self if self.read_url is None else replace(self, database_url=self.read_url)

    def check_embedded(self) -> None:
        """Refuse the embedded server under -q, unless it was asked for by name.

        A cron line that lost its DATABASE_URL must not read or write elsewhere.

        Raises:
            ConfigurationError: no database is named.
        """
        if self.quiet and self.database_url is None and not self.embedded_named:
            raise ConfigurationError(
                "DATABASE_URL is not set, and -q uses the embedded database only where it is named",
                hint="Set DATABASE_URL; for the embedded database: DATABASE_URL=embedded:",
            )


def from_environment(env: Mapping[str, str]) -> Settings:
    """The settings that the environment asks for.

    Reads DATABASE_URL or DATABASE_URL_FILE, DATABASE_READ_URL, PLUGIN_CONFIG_PATH, LOG_LEVEL,
    LOG_FORMAT, SCHEDULER_TIMEZONE, MAX_RETRIES, RETRY_DELAY_SECONDS and PROGRESS_SECONDS.

    Raises:
        ConfigurationError: a variable that is set but says nothing usable; all are named.
    """
    faults: list[str] = []
    hints: list[str] = []
    settings = Settings()
    changes: dict[str, Any] = {}

    def read(name: str, field: str | None, parse: Any) -> None:
        if (text := env.get(name)) is not None and (text or name.startswith("DATABASE")):
            try:
                changes.update(parse(text) if field is None else {field: parse(text)})
            except ValueError as error:
                faults.append(f"{name}: {error}")
            except ConfigurationError as error:
                faults.append(error.message)
                hints.extend([error.hint] if error.hint else [])

    read("PLUGIN_CONFIG_PATH", "config_path", Path)
    read("LOG_LEVEL", "log_level", log_level)
    read("LOG_FORMAT", "log_format", log_format)
    read("SCHEDULER_TIMEZONE", "zone", time_zone)
    read("MAX_RETRIES", "max_retries", _count)
    read("RETRY_DELAY_SECONDS", "retry_delay", _seconds)
    read("PROGRESS_SECONDS", "progress_interval", _seconds)
    if "DATABASE_URL" in env and "DATABASE_URL_FILE" in env:
        faults.append("DATABASE_URL and DATABASE_URL_FILE are both set: unset one of them")
    else:
        read("DATABASE_URL_FILE", None, _read_database)
        read("DATABASE_URL", None, lambda text: _database(text, "DATABASE_URL"))
    read("DATABASE_READ_URL", "read_url", lambda text: _database_url(text, "DATABASE_READ_URL"))
    if faults:
        raise ConfigurationError("; ".join(faults), hint=". ".join(hints) or None)
    return replace(settings, **changes)


def log_level(text: str) -> str:
    """The level of that name, in lower case.

    Raises:
        ValueError: there is none.
    """
    return _choice(text, LOG_LEVELS)


def log_format(text: str) -> str:
    """`text` or `json`.

    Raises:
        ValueError: something else.
    """
    return _choice(text, LOG_FORMATS)


def _choice(text: str, choices: tuple[str, ...]) -> str:
    if text.strip().lower() in choices:
        return text.strip().lower()
    raise ValueError(f"{text!r} is none of {', '.join(choices)}")


def _count(text: str) -> int:
    if text.strip().isdecimal():
        return int(text)
    raise ValueError(f"{text!r} is not a whole number of 0 or more")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds) and seconds >= 0:
        return seconds
    raise ValueError(f"{text!r} is not a number of seconds")


def _read_database(path: str) -> dict[str, Any]:
    try:
        content = read_beginning(path, _LONGEST_URL, patience=_PIPE_PATIENCE)
        if len(content) > _LONGEST_URL:
            raise ValueError(f"{path!r} has more than {_LONGEST_URL} bytes, and is no URL")
        text = content.decode("utf-8")
    except TimeoutError:
        raise ValueError(f"{path!r} gave no URL within {_PIPE_PATIENCE:g} seconds") from None
    except OSError as error:
        raise ValueError(f"cannot read {path!r}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path!r} is not a text file") from None
    return _database(text.strip(), path)


def _database(text: str, origin: str) -> dict[str, Any]:
    """The settings that name the database; `origin` is where the text was written."""
    scheme, separator, folder = text.strip().partition(":")
    if scheme != "embedded" or not separator:
        url = _database_url(text, origin)
        return {"database_url": url, "embedded_named": False, "embedded_home": None}
    if folder and (not folder.startswith("/") or folder.startswith("//")):
        raise ConfigurationError(
            f"{origin} names an embedded database in what is no whole path",
            hint="Write embedded:/path/to/folder, or embedded: for the user's own",
        )
    return {
        "database_url": None,
        "embedded_named": True,
        "embedded_home": Path(folder) if folder else None,
    }


def _database_url(text: str, origin: str) -> str:
    """The URL as libpq takes it; `origin` is what messages call the place where it was written."""
    scheme, separator, rest = text.strip().partition("://")
    if not text.strip():
        raise ConfigurationError(
            f"{origin} is empty",
            hint="Give postgresql://user:password@host:5432/name, or unset it",
        )
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        raise ConfigurationError(
            f"{origin} does not begin with postgresql://",
            hint="Write it like postgresql://user:password@host:5432/name, or embedded:",
        )
    # as libpq reads it: the first @ ends the password, unless a / comes before
    has_credentials = "@" in rest.partition("/")[0]
    credentials, _, after = rest.partition("@") if has_credentials else ("", "", rest)
    if "@" in after.partition("?")[0]:
        # libpq would take a part of the password for the host, and name it in its errors
        raise ConfigurationError(
            f"{origin} has an @ or a / in its user, password or name that is not encoded",
            hint="Write @ as %40 and / as %2F",
        )
    if ":" in credentials:
        from urllib.parse import unquote

        password = credentials.split(":", 1)[1]
        remember_secret(password)
        remember_secret(unquote(password))
    return f"postgresql://{rest}"
