"""Write the software bill of materials of a Python environment, as CycloneDX 1.6 in JSON.

python .ci/sbom.py /opt/dataportal/bin/python sbom.cdx.json
python .ci/sbom.py /opt/dataportal/bin/python sbom.cdx.json --system   # with all beneath

cyclonedx-bom lists the packages with their licences and what each depends on. `--system` adds the
interpreter and what Debian's package manager has installed. The same environment gives the same
bytes. What a wheel has compiled in, such as the libpq of psycopg-binary, is not taken apart.
Format: https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

NAME = "dataportal"
INSTALLED = Path("/var/lib/dpkg/status")


def python_bill(python: str) -> dict[str, Any]:
    """The bill of the environment of that interpreter, with the program itself as what it is of."""
    output = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", python],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    bill: dict[str, Any] = json.loads(output)
    (main,) = (part for part in bill["components"] if part["name"] == NAME)
    bill["components"].remove(main)
    bill["metadata"]["component"] = {**main, "type": "application"}
    return bill


def system_components() -> list[dict[str, Any]]:
    """The interpreter, and every package of Debian's that is installed here."""
    version = platform.python_version()
    release = platform.freedesktop_os_release()
    parts = [
        {
            "type": "platform",
            "bom-ref": f"python-{version}",
            "name": "python",
            "version": version,
            "purl": f"pkg:generic/python@{version}",
        }
    ]
    for paragraph in INSTALLED.read_text(encoding="utf-8").split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in paragraph.splitlines()
            if ": " in line and line[0] != " "
        )
        if fields.get("Status") != "install ok installed":
            continue
        name, version, architecture = (fields[n] for n in ("Package", "Version", "Architecture"))
        purl = (
            f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={architecture}"
            f"&distro=debian-{release['VERSION_ID']}"
        )
        parts.append(
            {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
        )
    return parts


def main() -> int:
    """Write the bill, if it is one by CycloneDX' own schema."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="the interpreter of the environment")
    parser.add_argument("output", type=Path)
    parser.add_argument("--system", action="store_true", help="with what lies beneath")
    options = parser.parse_args()
    bill = python_bill(options.python)
    if options.system:
        bill["components"] += system_components()
    text = json.dumps(bill, indent=1)
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        print(f"no valid CycloneDX: {fault}")
        return 1
    options.output.write_text(text, encoding="utf-8")
    print(f"{options.output}: {1 + len(bill['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
