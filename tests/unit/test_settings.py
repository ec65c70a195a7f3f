"""What the environment and the options say."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.remembered_secrets import only_secrets

from dataportal.errors import ConfigurationError, ExitCode
from dataportal.redaction import MASK, redact
from dataportal.settings import Settings, from_environment, log_format, log_level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

URL = "postgresql://me:secret-canary@db.example:5432/name?sslmode=require"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """What other tests have the process remember is set aside."""
    with only_secrets():
        yield


def refused(**env: str) -> ConfigurationError:
    """The error that an environment is refused with."""
    with pytest.raises(ConfigurationError) as raised:
        from_environment(env)
    assert raised.value.exit_code is ExitCode.CONFIGURATION
    return raised.value


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    """The embedded server, ./sources.yaml, UTC, three retries after a minute."""
    settings = from_environment({})
    assert settings == Settings()
    assert settings.database_url is None
    assert settings.config_path == Path("sources.yaml")
    assert (settings.log_level, settings.log_format, settings.quiet) == ("info", "text", False)
    assert str(settings.zone) == "UTC"
    assert (settings.max_retries, settings.retry_delay) == (3, 60.0)


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("DATABASE_URL", URL, "database_url", URL),
        ("PLUGIN_CONFIG_PATH", "/etc/sources.yaml", "config_path", Path("/etc/sources.yaml")),
        ("LOG_LEVEL", "DEBUG", "log_level", "debug"),
        ("LOG_LEVEL", " warning ", "log_level", "warning"),
        ("LOG_FORMAT", "JSON", "log_format", "json"),
        ("SCHEDULER_TIMEZONE", "Europe/Berlin", "zone", ZoneInfo("Europe/Berlin")),
        ("MAX_RETRIES", "0", "max_retries", 0),
        ("MAX_RETRIES", " 7 ", "max_retries", 7),
        ("RETRY_DELAY_SECONDS", "0", "retry_delay", 0.0),
        ("RETRY_DELAY_SECONDS", "0.5", "retry_delay", 0.5),
        ("PROGRESS_SECONDS", "600", "progress_interval", 600.0),
    ],
)
def test_a_variable_changes_one_setting(
    name: str, text: str, field: str, value: str | float | Path | tzinfo
) -> None:
    """And no other."""
    settings = from_environment({name: text, "UNRELATED": "x"})
    assert getattr(settings, field) == value
    assert settings == Settings(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        *("PLUGIN_CONFIG_PATH", "LOG_LEVEL", "LOG_FORMAT", "SCHEDULER_TIMEZONE", "MAX_RETRIES"),
        *("RETRY_DELAY_SECONDS", "PROGRESS_SECONDS"),
    ],
)
def test_an_empty_variable_is_like_an_unset_one(name: str) -> None:
    """As a crontab or a container's description leaves it; but see DATABASE_URL."""
    assert from_environment({name: ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("LOG_LEVEL", text) for text in ("loud", "20", " ")),
        *(("LOG_FORMAT", text) for text in ("xml", "text json")),
        *(("SCHEDULER_TIMEZONE", text) for text in ("CETT", "+01:00", "../UTC", " ")),
        *(("MAX_RETRIES", text) for text in ("-1", "3.0", "many", "1e3", "\N{SUPERSCRIPT TWO}")),
        *(("RETRY_DELAY_SECONDS", text) for text in ("-1", "60s", "nan", "inf", "1 minute", " ")),
        *(("PROGRESS_SECONDS", text) for text in ("-1", "1m", "nan")),
    ],
)
def test_a_variable_that_says_nothing_usable_is_an_error(name: str, text: str) -> None:
    """It names the variable and what it says."""
    error = refused(**{name: text})
    assert str(error).startswith(f"{name}: ")
    assert repr(text) in str(error)


FAULTS = {
    "LOG_LEVEL": "loud",
    "LOG_FORMAT": "xml",
    "SCHEDULER_TIMEZONE": "Mars/Phobos",
    "MAX_RETRIES": "-1",
    "RETRY_DELAY_SECONDS": "soon",
}
BAD_DATABASES = [
    {"DATABASE_URL": ""},
    {"DATABASE_URL": "mysql://h/name"},
    {"DATABASE_URL": "postgresql://u:a@b@h/name"},
    {"DATABASE_URL_FILE": "/does/not/exist"},
    {"DATABASE_URL_FILE": ""},
    {"DATABASE_URL": URL, "DATABASE_URL_FILE": "/does/not/exist"},
]


@given(st.sets(st.sampled_from(sorted(FAULTS))), st.sampled_from([{}, *BAD_DATABASES]))
def test_all_faults_are_named_at_once(names: set[str], database: dict[str, str]) -> None:
    """Also beside a database that cannot be used."""
    env = {**{name: FAULTS[name] for name in names}, **database}
    if env:
        error = str(refused(**env))
        assert all(name in error for name in env)
    else:
        assert from_environment(env) == Settings()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
@pytest.mark.parametrize(
    "rest", [URL.partition("://")[2], "/name", "", "%2Frun%2Fpg/name", "h1,h2"]
)
def test_every_form_of_a_database_url_means_the_same(scheme: str, rest: str) -> None:
    """In the environment and as an option; spaces and a line's end around it are no part of it."""
    expected = f"postgresql://{rest}"
    given_url = f" {scheme}://{rest}\n"
    assert from_environment({"DATABASE_URL": given_url}).database_url == expected
    assert Settings().override(database_url=given_url).database_url == expected


@pytest.mark.parametrize(
    "url", ["mysql://h/name", "db.example", "http://h", "postgresql:/h", "POSTGRESQL://h", "://h"]
)
def test_another_url_is_an_error_that_does_not_show_it(url: str) -> None:
    """It may hold a password; the hint shows what to write."""
    error = refused(DATABASE_URL=url.replace("h", "me:canary@h"))
    assert "DATABASE_URL does not begin with postgresql://" in str(error)
    assert "canary" not in str(error)
    assert error.hint == "Write it like postgresql://user:password@host:5432/name, or embedded:"


@pytest.mark.parametrize(
    ("text", "folder"), [("embedded:", None), (" embedded:/srv/series\n", Path("/srv/series"))]
)
def test_the_embedded_server_has_a_name(tmp_path: Path, text: str, folder: Path | None) -> None:
    """In the variable, a file or an option; under -q nothing else leads to it."""
    file = tmp_path / "url"
    file.write_text(text, encoding="utf-8")
    for settings in (
        from_environment({"DATABASE_URL": text}),
        from_environment({"DATABASE_URL_FILE": str(file)}),
        from_environment({"DATABASE_URL": URL}).override(database_url=text),
    ):
        assert settings == Settings(embedded_named=True, embedded_home=folder)
        settings.override(quiet=True).check_embedded()
    named = from_environment({"DATABASE_URL": text}).override(database_url=URL)
    assert named == Settings(database_url=URL)
    Settings().check_embedded()
    with pytest.raises(ConfigurationError, match="DATABASE_URL=embedded:"):
        Settings(quiet=True).check_embedded()


@pytest.mark.parametrize(
    "text", ["embedded:folder", "embedded://folder", "embedded:~/x", "embedded"]
)
def test_a_name_of_the_embedded_server_that_may_mean_another_place(text: str) -> None:
    """Which folder it is relative to, nobody can tell."""
    assert "DATABASE_URL" in refused(DATABASE_URL=text).message


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_an_empty_database_url_is_an_error(text: str) -> None:
    """A cron line that lost its variable must not write elsewhere."""
    error = refused(DATABASE_URL=text)
    assert error.message == "DATABASE_URL is empty"
    assert "unset it" in str(error.hint)
    with pytest.raises(ConfigurationError, match="--database-url is empty"):
        Settings().override(database_url=text)


@pytest.mark.parametrize("password", ["can@ary", "can/ary", "@canary", "canary/", "c@n/ary"])
def test_a_password_that_no_url_can_hold_is_an_error_that_does_not_show_it(password: str) -> None:
    """Else the server's library would show a part of it as the host it cannot find."""
    error = refused(DATABASE_URL=f"postgresql://me:{password}@db.example:5432/name")
    assert "DATABASE_URL has an @ or a / in its user, password or name" in str(error)
    assert error.hint == "Write @ as %40 and / as %2F"
    assert not any(part in str(error) for part in ("can", "ary", "c@n"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://h/name?application_name=me@there",
        "postgresql://h?application_name=me@there",
        "postgresql://me:pw@h?application_name=me@there",
        "postgresql://me:p%40ss%2Fword@h:5432/name?options=a@b",
        "postgresql://me:pa?ss#word@h/name",
        "postgresql://[::1]:5432/name",
        "postgresql://me@h1:5432,h2:5433/name",
    ],
)
def test_an_unusual_url_is_left_as_it_is(url: str) -> None:
    """Encoded passwords, several hosts, an @ among the parameters."""
    assert from_environment({"DATABASE_URL": url}).database_url == url


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("secret-canary", "secret-canary"),
        ("secret%2Fcan%40ary", "secret/can@ary"),
        ("secret%2Dcan%61ry", "secret-canary"),
        ("se:cret?can#ary", "se:cret?can#ary"),
        ("secret%zz", "secret%zz"),
    ],
)
def test_the_password_is_never_shown_again(tmp_path: Path, written: str, password: str) -> None:
    """As it was written and as it is meant; from the environment, a file or an option."""
    url = f"postgresql://me:{written}@db.example/name"
    file = tmp_path / "url"
    file.write_text(url, encoding="utf-8")
    readings: list[Callable[[], Settings]] = [
        lambda: from_environment({"DATABASE_URL": url}),
        lambda: from_environment({"DATABASE_URL_FILE": str(file)}),
        lambda: Settings().override(database_url=url),
    ]
    for read in readings:
        with only_secrets():
            assert password in redact(f"no {password} for me")
            read()
            assert redact(f"no {password} or {written} for me") == f"no {MASK} or {MASK} for me"


def test_the_url_may_stand_in_a_file(tmp_path: Path) -> None:
    """With a line's end, as a secret that is mounted into a container."""
    file = tmp_path / "url"
    file.write_text(f"{URL.replace('postgresql', 'postgres')}\n", encoding="utf-8")
    assert from_environment({"DATABASE_URL_FILE": str(file)}).database_url == URL


@pytest.mark.parametrize(
    "content", [None, b"", b"\n", b"mysql://me:canary@h", b"\xff\xfe", "folder"]
)
def test_a_file_without_a_url_is_an_error_that_names_it(
    tmp_path: Path, content: bytes | str | None
) -> None:
    """Missing, empty, of another kind, not text, a folder; what it holds is not shown."""
    file = tmp_path / "url"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content == "folder":
        file.mkdir()
    error = refused(DATABASE_URL_FILE=str(file))
    assert str(file) in str(error)
    assert "canary" not in str(error)


@pytest.mark.timeout(20)
def test_a_file_without_an_end_is_refused_at_once() -> None:
    """A few kilobytes are read of it."""
    assert "'/dev/zero' has more than 8192 bytes" in str(refused(DATABASE_URL_FILE="/dev/zero"))


@pytest.mark.timeout(20)
def test_a_pipe_that_nobody_writes_to_is_refused(tmp_path: Path) -> None:
    """It is waited for, but not for ever."""
    os.mkfifo(tmp_path / "url")
    assert "gave no URL within" in str(refused(DATABASE_URL_FILE=str(tmp_path / "url")))


def test_a_url_may_come_through_a_pipe(tmp_path: Path) -> None:
    """As a shell makes them; one that comes in parts counts when it is whole."""
    pipe = tmp_path / "url"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as file:
            file.write(b"postgresql://me@host")
            time.sleep(0.05)
            file.write(b"/name\n")

    writer = threading.Thread(target=write)
    writer.start()
    settings = from_environment({"DATABASE_URL_FILE": str(pipe)})
    writer.join()
    assert settings.database_url == "postgresql://me@host/name"


def test_two_sources_of_the_url_are_an_error() -> None:
    """Nobody can tell which is meant."""
    error = refused(DATABASE_URL=URL, DATABASE_URL_FILE="/run/secrets/url")
    assert "DATABASE_URL and DATABASE_URL_FILE are both set" in str(error)


def test_an_option_beats_the_environment() -> None:
    """Each that was given; one that was not leaves what the environment says."""
    settings = from_environment({"LOG_LEVEL": "debug", "DATABASE_URL": URL, "MAX_RETRIES": "7"})
    changed = settings.override(
        log_level="error", log_format=None, database_url=None, quiet=True, config_path=Path("x")
    )
    assert (changed.log_level, changed.log_format, changed.quiet) == ("error", "text", True)
    assert (changed.database_url, changed.max_retries) == (URL, 7)
    assert changed.config_path == Path("x")
    other = changed.override(database_url="postgres://h/other")
    assert other.database_url == "postgresql://h/other"
    assert settings == from_environment(
        {"LOG_LEVEL": "debug", "DATABASE_URL": URL, "MAX_RETRIES": "7"}
    )


def test_levels_and_formats_are_read_in_any_case() -> None:
    """And anything else is a ValueError that lists them."""
    assert (log_level("Critical"), log_format("Text")) == ("critical", "text")
    with pytest.raises(ValueError, match="'loud' is none of debug, info, warning, error, critical"):
        log_level("loud")
    with pytest.raises(ValueError, match="'xml' is none of text, json"):
        log_format("xml")
