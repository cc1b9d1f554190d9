"""Where a blend puts its weight, beside each member's error in the same rows: the numbers behind the page's picture.

python benchmarks/weights.py perception blend
"""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.report import facts
from watertight.core.project import find_project
from watertight.page.weights import weighed

NOTHING = 5e-4


def main() -> None:
    """A table per target; members that never have weight are named and left out."""
    workload, cell = sys.argv[1:]
    run = facts(find_project(Path.cwd()).workload(workload))
    for target in run.weights.filter(cell=cell)["target"].unique(maintain_order=True):
        lines, members = weighed(run, target, cell), run.members(target, cell)
        used = [place for place in range(len(members)) if max(line.weights[place] for line in lines) > NOTHING]
        idle = [name for place, name in enumerate(members) if place not in used]
        print(f"\n{target}: {_idle(idle)}\n")
        print("| slice | rows | " + " | ".join(members[place] for place in used) + " |")
        print("| --- | --- |" + " --- |" * len(used))
        for line in lines:
            told = (f"{line.weights[place]:.2f} ({line.errors[place]:.3f})" for place in used)
            print(f"| {f'{line.column} {line.value}'.strip() or 'all rows'} | {line.rows} | {' | '.join(told)} |")


def _idle(names: list[str]) -> str:
    return "weight (error)" + (f"; without weight: {', '.join(names)}" if names else "")


if __name__ == "__main__":
    main()
