"""Where the embedded server lives, and what is said when it cannot live there."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from support.embedded_user import end_server, ignore, is_down, start_user, user

import dataportal
from dataportal.embedded.account import Account, server_account
from dataportal.embedded.binaries import installed_binaries, runnable_binaries
from dataportal.embedded.files import server_files
from dataportal.embedded.server import embedded_server
from dataportal.errors import ConfigurationError, ExitCode

NOBODY = 65534
ORDINARY = 54321  # a user id without a name, to which root's tests can change


def refusal(server_home: Path, *, create: bool = True) -> ConfigurationError:
    """What is raised instead of giving a server."""
    with (
        pytest.raises(ConfigurationError) as caught,
        embedded_server(say=ignore, create=create, data_home=server_home, durable=False),
    ):
        pass
    assert caught.value.exit_code == ExitCode.CONFIGURATION
    assert "DATABASE_URL" in str(caught.value)
    return caught.value


def test_none_is_made_where_none_may_be(server_home: Path) -> None:
    """Without permission to create there is an error that names the place, and no file."""
    error = refusal(server_home, create=False)
    assert str(server_home) in str(error)
    assert not server_home.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["x" * 200, "with space", "comma,quote'\"$HOME`id`Ünïcode@back\\slash"],
)
def test_any_path_will_do(open_folder: Path, name: str) -> None:
    """Length and characters of the path do not matter; a folder made for the socket goes again."""
    home = open_folder / name / "home"
    try:
        with embedded_server(say=ignore, data_home=home, durable=False) as url:
            with psycopg.connect(url) as connection:
                folder = Path(connection.info.host)
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert is_down(home)
        assert folder == server_files(home).data or not folder.exists()
    finally:
        end_server(home)


@pytest.mark.slow
def test_an_ordinary_user_keeps_it_in_their_home(open_folder: Path) -> None:
    """Without XDG_DATA_HOME the data lie below HOME, private to the user."""
    own = open_folder / "own"
    own.mkdir()
    env = {"HOME": str(own), "XDG_DATA_HOME": ""}
    uid = None
    if os.geteuid() == 0:
        uid = 65534
        os.chown(own, uid, uid)
        env["PYTHONPATH"] = str(copy_of_binaries(open_folder))
    with user("", env=env, uid=uid) as (_, url), psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    folder = own / ".local" / "share" / "dataportal"
    assert (folder / "postgresql-18" / "PG_VERSION").is_file()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.stat().st_uid == (uid or os.geteuid())


@pytest.mark.slow
def test_two_users_have_a_server_each_at_once(open_folder: Path) -> None:
    """On one machine, at the same time: each has data and a door of its own, closed to the other.

    Who is no root here is the same user twice, with two homes.
    """
    is_root = os.geteuid() == 0
    uids = [one.pw_uid for one in pwd.getpwall() if 0 < one.pw_uid <= NOBODY][:2]
    env = {"XDG_DATA_HOME": ""}
    if is_root:
        env["PYTHONPATH"] = str(copy_of_binaries(open_folder))
    homes = []
    for number, uid in enumerate(uids):
        home = open_folder / f"home{number}"
        home.mkdir()
        if is_root:
            os.chown(home, uid, uid)
        homes.append(home)
    first, second = [
        user("", env={**env, "HOME": str(home)}, uid=uid if is_root else None)
        for home, uid in zip(homes, uids, strict=True)
    ]
    with (
        first as (_, one_url),
        second as (_, other_url),
        psycopg.connect(one_url, autocommit=True) as one,
        psycopg.connect(other_url, autocommit=True) as other,
    ):
        assert one.info.host != other.info.host
        assert one.info.backend_pid != other.info.backend_pid
        one.execute("CREATE TABLE mine ()")
        there = other.execute("SELECT to_regclass('mine')").fetchone()
        assert there == (None,)
        for connection in (one, other):
            folder = Path(connection.info.host)
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        if is_root:
            owners = [Path(c.info.host).stat().st_uid for c in (one, other)]
            assert owners == uids
    for home in homes:
        assert is_down(home / ".local" / "share" / "dataportal")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"HOME": "/proc/nowhere"}, "cannot keep an embedded database in /proc/nowhere"),
        ({"XDG_DATA_HOME": "/proc/nowhere"}, "cannot keep an embedded database in /proc/nowhere"),
    ],
)
def test_no_home_to_live_in(open_folder: Path, env: dict[str, str], reason: str) -> None:
    """The error says what is wrong with the folder, and names two ways out."""
    message = refusal_of_ordinary_user(open_folder, {"XDG_DATA_HOME": "", **env})
    assert message.startswith("ConfigurationError: ")
    assert reason in message
    assert "XDG_DATA_HOME" in message
    assert "DATABASE_URL" in message


def test_a_home_that_is_no_place(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the one of the user's account serves; who has none there either is told two ways out."""
    if os.geteuid() != 0:
        monkeypatch.setenv("HOME", "nowhere")
        monkeypatch.delenv("XDG_DATA_HOME", raising=False)
        of_account = Path(pwd.getpwuid(os.geteuid()).pw_dir)
        assert server_files().home == of_account / ".local" / "share" / "dataportal"
        return
    message = refusal_of_ordinary_user(open_folder, {"XDG_DATA_HOME": "", "HOME": "nowhere"})
    assert message.startswith("ConfigurationError: ")
    assert "this user has no home directory" in message
    assert "XDG_DATA_HOME" in message
    assert "DATABASE_URL" in message


def test_a_user_without_a_name(open_folder: Path) -> None:
    """A number that nobody gave a name to, as in some containers, is told what PostgreSQL needs."""
    if os.geteuid() != 0:
        assert server_account(open_folder).name is not None
        return
    shared = open_folder / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    message = refusal_of_ordinary_user(open_folder, {"XDG_DATA_HOME": str(shared)})
    assert message.startswith("ConfigurationError: ")
    assert str(ORDINARY) in message
    assert "DATABASE_URL" in message


def test_an_existing_folder_keeps_its_mode(open_folder: Path) -> None:
    """Folders that were there before are used as they are."""
    home = open_folder / "home"
    home.mkdir()
    for mode in (0o711, 0o755):
        home.chmod(mode)
        with embedded_server(say=ignore, data_home=home, durable=False):
            pass
        assert stat.S_IMODE(home.stat().st_mode) == mode


def test_another_version_is_refused(made_home: Path) -> None:
    """A data directory of another major version is left alone, under its own name or ours."""
    data = server_files(made_home).data
    (data / "PG_VERSION").write_text("17\n", encoding="ascii")
    assert "PostgreSQL 17" in str(refusal(made_home))
    data.rename(made_home / "postgresql-17")
    assert "PostgreSQL 17" in str(refusal(made_home))
    assert not data.exists()


def test_a_folder_of_something_else_is_refused(server_home: Path) -> None:
    """Files that are no database are not overwritten; an empty folder is taken."""
    data = server_home / "postgresql-18"
    data.mkdir(parents=True)
    (data / "holiday.jpg").touch()
    assert "not empty" in str(refusal(server_home))
    (data / "holiday.jpg").unlink()
    with embedded_server(say=ignore, data_home=server_home, durable=False):
        pass


def test_the_extra_is_missing(tmp_path: Path) -> None:
    """Without the binaries both ways out are named, and nothing is made."""
    (tmp_path / "dataportal").symlink_to(Path(dataportal.__file__).parent)
    script = (
        "import sys; from pathlib import Path; sys.path.append(sys.argv[1])\n"
        "from dataportal.embedded.server import embedded_server\n"
        "from dataportal.errors import ConfigurationError\n"
        "try:\n"
        "    with embedded_server(say=print, data_home=Path(sys.argv[1], 'home')): pass\n"
        "except ConfigurationError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(tmp_path)],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "DATABASE_URL" in done.stdout
    assert "dataportal[embedded]" in done.stdout
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_binaries_out_of_reach_are_copied_once(open_folder: Path) -> None:
    """Root's server runs from a copy where its user cannot reach the originals; others don't."""
    hidden = open_folder / "hidden"
    hidden.mkdir()
    hidden.chmod(0o700)
    shutil.copytree(copy_of_binaries(open_folder), hidden / "site-packages", symlinks=True)
    env = {"PYTHONPATH": str(hidden / "site-packages")}
    home = open_folder / "home"
    copied = home / f"binaries-{installed_binaries().release}"
    try:
        for _ in range(2):
            with user(home, env=env) as (_, url), psycopg.connect(url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            assert copied.is_dir() == (os.geteuid() == 0)
        assert stat.S_IMODE(hidden.stat().st_mode) == 0o700
    finally:
        end_server(home)


def refusal_of_ordinary_user(folder: Path, env: dict[str, str]) -> str:
    """What a user who is not root hears instead of getting a server."""
    uid = None
    if os.geteuid() == 0:
        uid = ORDINARY
        env = {**env, "PYTHONPATH": str(copy_of_binaries(folder))}
    with start_user("", env=env, uid=uid) as process:
        _, errors = process.communicate()
    assert process.returncode == 1
    return errors


def copy_of_binaries(folder: Path) -> Path:
    """A folder for PYTHONPATH with binaries that everybody can run."""
    installed = installed_binaries()
    unreachable = Account(uid=ORDINARY, gid=ORDINARY, name="anybody")
    folder_found = runnable_binaries(installed, unreachable, folder).folder
    if folder_found == installed.folder:
        target = folder / "copied"
        shutil.copytree(folder_found, target / folder_found.name, symlinks=True)
        libraries = folder_found.with_name(f"{folder_found.name}.libs")
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
        return target
    return folder_found.parent
