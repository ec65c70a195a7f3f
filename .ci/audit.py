"""Ask pip-audit whether a locked version has a vulnerability that `advisories.yaml` knows.

python .ci/audit.py requirements.txt .ci/build-requirements.txt

Needs no network: pip-audit puts its questions to a server on this machine, which answers from that
file as https://api.osv.dev/v1/query does. Ends with pip-audit's exit code of the first lock that is
not clean; and with 1 if it overlooks one of those packages in a lock with a vulnerable version of
each, since what finds nothing there is worth nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import yaml
from packaging.version import Version

ADVISORIES: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("advisories.yaml").read_text()
)
HASH = "--hash=sha256:" + "0" * 64


class Osv(BaseHTTPRequestHandler):
    """Answers which advisories concern a version of a package (ossf.github.io/osv-schema)."""

    def do_POST(self) -> None:
        """Answer `{"package": {"name": …}, "version": …}`."""
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, version = question["package"]["name"], Version(question["version"])
        advisories = [
            record(name, identifier, **facts)
            for identifier, facts in ADVISORIES.get(name, {}).items()
            if Version(facts["introduced"]) <= version < Version(facts["fixed"])
        ]
        answer = json.dumps({"vulns": advisories} if advisories else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - it has that name
        """Say nothing of a question that was answered."""


def record(name: str, identifier: str, aliases: list[str], introduced: str, fixed: str) -> object:
    """An advisory as OSV writes it."""
    events = [{"introduced": introduced}, {"fixed": fixed}]
    package = {"name": name, "ecosystem": "PyPI"}
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    return {
        "id": identifier,
        "aliases": aliases,
        "affected": [{"package": package, "ranges": ranges}],
    }


def audit(lock: Path, url: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """What pip-audit says of a lock."""
    with tempfile.TemporaryDirectory() as cache:
        command = (
            "pip-audit",
            "--vulnerability-service=osv",
            f"--osv-url={url}",
            "--require-hashes",
        )
        options = ("--disable-pip", "--progress-spinner=off", "--cache-dir", cache, "-r", str(lock))
        return subprocess.run([*command, *options], text=True, check=False, **how)


def main(locks: list[str]) -> int:
    """Audit each of them."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server, tempfile.TemporaryDirectory() as new:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1/query"
        vulnerable = Path(new, "requirements.txt")
        vulnerable.write_text(
            "".join(
                f"{name}=={next(iter(advisories.values()))['introduced']} {HASH}\n"
                for name, advisories in ADVISORIES.items()
            )
        )
        report = audit(vulnerable, url, capture_output=True)
        missing = ADVISORIES.keys() - {
            line.partition(" ")[0] for line in report.stdout.splitlines()
        }
        if report.returncode != 1 or missing:
            print(f"pip-audit does not find {missing}: {report.stdout}{report.stderr}")
            return 1
        codes = [audit(Path(lock), url).returncode for lock in locks]
        server.shutdown()
    return next(filter(None, codes), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
