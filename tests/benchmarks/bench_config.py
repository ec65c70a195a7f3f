"""A sources.yaml of 10,000 sources, loaded and validated: against PyYAML's C loader, and 1,000.

Also one that includes the whole catalogue, against PyYAML's C loader of the same files. Each side
is a process of its own that reads the file once, as a command does.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measuring import Verdicts, best, python

import dataportal

MANY, FEW = 10_000, 1_000
ROUNDS = 5
ENTRY = """\
  smard-{n}-de-hour:
    module: dataportal.plugins.data_sources.smard_plugin
    class: SmardDataSourcePlugin
    metadata:
      name: SMARD-{n}-DE-hour
      description: 'Power Generation: number {n} - Country: Germany'
      granularity: 1 hour
      forecast_horizon: 1 day
      available_metrics:
        - power
      update_frequency: 1 hour
      unit: MWh
      domain: energy
    default_params:
      filter: {n}
      region: DE
      resolution: hour

"""
OURS = """\
import sys
from pathlib import Path
from dataportal.config import load
assert len(load(Path(sys.argv[1]), {{}}).sources) == {count}
"""
THEIRS = """\
import sys, yaml
with open(sys.argv[1]) as file:
    assert len(yaml.load(file, yaml.CSafeLoader)["timeseries"]) == {count}
"""


CATALOGUE = """\
import sys
from pathlib import Path
from dataportal.config import load
from dataportal.config.includes import catalogue_files
text = "".join(f"  - {name}\\n" for name in catalogue_files())
sources = load(Path("all.yaml"), {}, text=f"include:\\n{text}").sources
assert sum(len(source.series) for source in sources) >= 800
"""
ITS_FILES = """\
import sys, yaml
from pathlib import Path
for path in Path(sys.argv[1]).glob("*.yaml"):
    yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
"""
OF_1_0 = 1.62
"""What the first release takes for its own sources.yaml, in times of the C loader."""


def main() -> int:
    """Print every ratio."""
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory() as folder:
        files = {count: Path(folder) / f"{count}.yaml" for count in (MANY, FEW)}
        for count, path in files.items():
            entries = "".join(ENTRY.format(n=n) for n in range(count))
            path.write_text(f"timeseries:\n{entries}", encoding="utf-8")
        many, few, theirs = best(
            python(OURS.format(count=MANY), str(files[MANY])),
            python(OURS.format(count=FEW), str(files[FEW])),
            python(THEIRS.format(count=MANY), str(files[MANY])),
            rounds=ROUNDS,
        )
    what = f"{MANY:,} sources, loaded and validated"
    verdicts.at_most(what, many, "yaml.load with the C loader", theirs, 0.9)
    verdicts.at_most(what, many, f"{FEW:,} sources", few, MANY / FEW)
    shipped = Path(dataportal.__file__).parent / "catalogue"
    ours, theirs = best(python(CATALOGUE), python(ITS_FILES, str(shipped)), rounds=ROUNDS)
    what = "the whole catalogue, loaded and validated"
    verdicts.at_most(what, ours, "yaml.load with the C loader", theirs, 1.2 * OF_1_0)
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
