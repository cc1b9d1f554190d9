"""What the pages of experiments share: a clone of the committed project, DVC experiments in it, and tables between marks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@contextmanager
def cloned() -> Iterator[Path]:
    """A clone of the committed project, so that the workspace stays as it is."""
    with tempfile.TemporaryDirectory(prefix="watertight-experiments-") as folder:
        clone = Path(folder) / "project"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        yield clone


def run(clone: Path, name: str, workload: str, settings: Iterable[str]) -> None:
    """One ``dvc exp run`` of a workload up to its figures; ``settings`` as DVC takes them after ``-S``."""
    options = [part for setting in settings for part in ("-S", setting)]
    subprocess.run(["git", "reset", "--quiet", "--hard"], cwd=clone, check=True)
    command = [sys.executable, "-m", "dvc", "exp", "run", "--name", name, *options, f"evaluate@{workload}"]
    print(" ".join(command[2:]), file=sys.stderr, flush=True)
    subprocess.run(command, cwd=clone, check=True, env=environment(), stdout=sys.stderr)


def shown(clone: Path, workload: str, keep: str) -> dict[str, dict[str, Any]]:
    """By experiment, the metrics that ``dvc exp show`` has of a workload and whose names match ``keep``."""
    command = [sys.executable, "-m", "dvc", "exp", "show", "--json", "--no-pager"]
    told = json.loads(subprocess.run(command, cwd=clone, check=True, env=environment(), capture_output=True, text=True).stdout)
    found = {}
    for revision in told:
        for experiment in (one for group in revision.get("experiments") or [] for one in group["revs"]):
            metrics = experiment["data"]["metrics"][f"artifacts/{workload}/metrics.json"]["data"]
            flat = {f"{target}.{name}": value for target, part in metrics.items() for name, value in part.items()}
            found[experiment["name"]] = {name: value for name, value in flat.items() if re.fullmatch(keep, name)}
    return found


def environment() -> dict[str, str]:
    """That of a fresh shell in which the project's commands are found."""
    raw = Path(os.environ.get("WATERTIGHT_RAW", ROOT / "data" / "raw")).resolve()
    here = {"WATERTIGHT_RAW": str(raw), "DVC_NO_ANALYTICS": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **here}


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as Markdown."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([str(row.get(name, "")) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(page: Path, blocks: Mapping[str, str]) -> None:
    """Put each block between its marks in the page."""
    text = page.read_text(encoding="utf-8")
    for name, block in blocks.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        text = text[: text.index(start) + len(start)] + f"\n{block}\n" + text[text.index(end) :]
    page.write_text(text, encoding="utf-8")
