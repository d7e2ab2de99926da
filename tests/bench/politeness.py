"""The politeness report: plays the cases of tests/rig and tells, from the hosts' log, what publishers saw of us."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.instance import Instance
from tests.rig import report, stage, table


def main() -> None:
    """Play all cases of the table, print the report and the cases that failed."""
    cases = {case.name: case for cases in table.TABLE.values() for case in cases}
    with tempfile.TemporaryDirectory() as folder:
        played = stage.play(Instance(Path(folder)), cases)
    for line in report.lines(played):
        print(line)
    print(f"cases: {len(cases)}, failed: {', '.join(played.failures) or 'none'}")


if __name__ == "__main__":
    main()
