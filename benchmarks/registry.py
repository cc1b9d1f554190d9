"""What it costs to ask the registry what is in production, beside GTO's tags.

    python benchmarks/registry.py --models 50 --versions 100 --tags 3000

Ours: a project of so many models, each with so many versions of real size, promoted one after another. GTO's: a repository with
so many tags, half of them versions, half of them stages, of ten models; its listing is `gto show`. Each is a command in a process
of its own, the best of three; told are seconds on the wall, of the processor, and beyond what `python -c pass` takes.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.registry.made_records import at_hour, made_evidence, made_facts
from watertight.registry.files import write_once
from watertight.registry.history import Registry
from watertight.registry.records import Event

ROOT = Path(__file__).parents[1]
OURS = "from watertight.cli import app; app()"
TIMES = 3
GTO_MODELS = 10


def main() -> None:
    """Make both, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--models", 50), ("--versions", 100), ("--tags", 3000)):
        parser.add_argument(name, type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watertight-registry-") as folder:
        ours, theirs = Path(folder) / "ours", Path(folder) / "theirs"
        size = make_ours(ours, asked.models, asked.versions)
        make_theirs(theirs, asked.tags)
        print(f"{asked.models} models × {asked.versions} versions, {size / 2**20:.0f} MiB of records; {asked.tags} tags")
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores\n")
        start = spent(ours, "-c", "pass")
        tell("command", "wall s", "processor s", "beyond start, wall s")
        for name, place, command in (
            ("python -c pass", ours, ("-c", "pass")),
            ("watertight --help", ours, ("-c", OURS, "--help")),
            ("watertight models", ours, ("-c", OURS, "models")),
            ("watertight models model_00", ours, ("-c", OURS, "models", "model_00")),
            ("watertight history model_00", ours, ("-c", OURS, "history", "model_00")),
            ("gto show", theirs, ("-m", "gto.cli", "show")),
            ("gto show model-0#prod", theirs, ("-m", "gto.cli", "show", "model-0#prod")),
        ):
            wall, processor = spent(place, *command)
            tell(name, f"{wall:.2f}", f"{processor:.2f}", f"{wall - start[0]:.2f}")


def make_ours(root: Path, models: int, versions: int) -> int:
    """A project with that registry; the bytes of its records."""
    (root / "feature_repo").mkdir(parents=True)
    (root / "params.yaml").write_text("workloads: []\n")
    for number in range(models):
        fill(Registry(root, f"model_{number:02}"), versions)
    return sum(path.stat().st_size for path in (root / "models").rglob("*.json"))


def fill(registry: Registry, versions: int) -> None:
    """Versions, each promoted in its turn; written directly, since to append reads what is there each time."""
    previous = ""
    for number in range(1, versions + 1):
        version = f"1.{number - 1}.0"
        record = made_facts(registry.model, fit=version).numbered(version, ("fitted again",))
        registry.write_version(record)
        event = Event(
            number=number,
            model=registry.model,
            kind="promotion",
            version=version,
            stage="prod",
            at=at_hour(number),
            by="Ada <ada@example.org>",
            record=record.digest,
            previous=previous,
            evidence=made_evidence(f"1.{number - 2}.0" if number > 1 else "cell mean"),
        ).sealed()
        write_once(event, registry.folder / "events" / f"{number:04}.json")
        previous = event.digest


def make_theirs(root: Path, tags: int) -> None:
    """A repository with as many annotated tags, of GTO's form, a commit and a second apart for each version."""
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    each, lines = tags // (2 * GTO_MODELS), []
    who = "Ada <ada@example.org>"
    for number in range(each):
        seconds = 1_780_000_000 + number * 100
        lines.append(f"commit refs/heads/main\nmark :{number + 1}\ncommitter {who} {seconds} +0000\ndata 1\nx\n")
        for model in range(GTO_MODELS):
            for name in (f"model-{model}@v1.{number}.0", f"model-{model}#prod#{number + 1}"):
                seconds += 1
                lines.append(f"tag {name}\nfrom :{number + 1}\ntagger {who} {seconds} +0000\ndata 1\nx\n")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=root, input="".join(lines), text=True, check=True)
    git(root, "reset", "--quiet", "--hard")


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True)


def spent(root: Path, *arguments: str) -> tuple[float, float]:
    """Seconds on the wall and of the processor, of the best of some runs."""
    return min(once(root, *arguments) for _ in range(TIMES))


def once(root: Path, *arguments: str) -> tuple[float, float]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    before, began = processor(), time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, processor() - before


def processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tell(*cells: str) -> None:
    """A line of the table."""
    print(f"{cells[0]:<28} {' '.join(f'{cell:>20}' for cell in cells[1:])}")


if __name__ == "__main__":
    main()
