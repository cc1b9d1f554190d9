"""The point-in-time join side by side with what a user would run instead: seconds, memory, rows lost, rows wrong.

    python benchmarks/point_in_time.py --data /tmp/point-in-time                 # the whole table
    python benchmarks/point_in_time.py --only "1 M×1 M, 100 per key" --only ours --only "DuckDB gathered"
    python benchmarks/point_in_time.py --quick                                   # every engine on small files

The engines: *ours*, and Feast's two local stores, *Feast dask* and *Feast DuckDB*, by Feast's own call
``store.get_historical_features(…).to_arrow()`` on a store with a SQL registry; and without a feature store, from the same
Parquet files to an Arrow table of the same rows, in the caller's order and with ties broken by created time, *DuckDB carried*
(an ASOF join of all columns), *DuckDB gathered* (an ASOF join of keys, times and row numbers, by which the columns are taken
afterwards) and *Polars* (join_asof). The *floor* reads the needed columns once and drops them.

Each call runs in a process of its own, the engines in turn, ``--repeats`` times; told are medians. Not in the seconds: imports,
what a first call compiles, the set-up of the store, reading the labels. Files lie in the file cache. *peak* is the most memory
the process held during the call above what it held before; *less output* is that without the bytes of the answer.

*lost* are labels without a row in the answer, *wrong* are rows of which any value is not the right one. Right rows are found by
sorting, without any of the engines, and checked by brute force on a few labels of each case. *order* says whether rows came
back in the caller's order (the other figures do not mind). An engine that takes more than ``--limit-seconds`` in a call, or
whose process holds more than ``--limit-gb`` (10⁹ bytes), is stopped, shown as such and not run again in that case;
one that took more than 30 s is not run again either. *processor* are seconds of all cores.

Files are made from a seed and kept in ``--data`` for the next run (the whole table: some 25 GB); without it they lie in a
temporary folder and go after each case. ``--only`` names an engine, a case, or part of the names of cases. ``--row-group`` is
the most rows of a row group: 131,072, as `featurize` writes, suits DuckDB, which reads row groups side by side; pyarrow's own
default is 1,048,576. Needs Linux, for memory is read from /proc.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from point_in_time_engines.cases import Case, every_case, quick_cases
from point_in_time_engines.engines import ENGINES, FLOOR
from point_in_time_engines.files import Files, make
from point_in_time_engines.tables import HEAD, RATIOS, Result, line, ratios, result
from point_in_time_engines.truth import settle
from point_in_time_engines.watched import Limits, Outcome, tried

ONCE = 30.0
LIBRARIES = ("duckdb", "polars", "pyarrow", "feast", "pandas")


@dataclass
class Progress:
    """Lines with the time left on stderr; a trial weighs what it reads, as trials of one size take about as long."""

    total: float
    began: float = field(default_factory=time.monotonic)
    done: float = 0.0

    def tell(self, case: Case, what: str, weight: float) -> None:
        """A trial is done, or will not be run."""
        self.done += weight
        passed = time.monotonic() - self.began
        left = passed / self.done * (self.total - self.done)
        print(f"{passed / 60:6.1f} min, about {left / 60:.0f} left: {case.name}: {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Print the machine, the table and the ratios."""
    options = _options()
    cases, engines = _chosen(list(quick_cases() if options.quick else every_case()), options.only)
    repeats = options.repeats or (1 if options.quick else 3)
    limits, told = Limits(options.limit_seconds, options.limit_gb), []
    progress = Progress(sum(_weight(case) * len(engines) * repeats for case in cases))
    print(f"{_machine()}\nmedians of {repeats}; row groups of {options.row_group:,} rows\n\n{HEAD}", flush=True)
    with _folder(options.data) as data:
        for case in cases:
            files = Files(case, data, options.row_group)
            found = _measured(files, engines, limits, repeats, progress)
            told.append(ratios(case, found))
            if not options.data:
                shutil.rmtree(files.folder)
    print("\n" + "\n".join([RATIOS, *told]))


def _measured(files: Files, engines: list[str], limits: Limits, repeats: int, progress: Progress) -> dict[str, Result]:
    """Run a case, print its lines; results by engine."""
    case = files.case
    for one in (Files(case.small(), files.data, files.row_group), files):
        make(one)
    settle(files)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in engines}
    for repeat in range(repeats):
        for name in engines:
            if not any(one.stopped or one.seconds > ONCE for one in outcomes[name]):
                outcomes[name].append(tried(name, files, limits, judge=repeat == 0))
            last = outcomes[name][-1]
            progress.tell(case, f"{name} {last.stopped or f'{last.seconds:.2f} s'}", _weight(case))
    found = {name: result(outcomes[name], limits.seconds) for name in engines}
    print("\n".join(line(case, name, one, found.get(FLOOR)) for name, one in found.items()), flush=True)
    return found


def _chosen(cases: list[Case], names: list[str]) -> tuple[list[Case], list[str]]:
    """The cases and engines that are named, all where none is; the floor always."""
    engines = [name for name in ENGINES if name in names]
    parts = [name for name in names if name not in ENGINES]
    strange = [part for part in parts if not any(part in case.name for case in cases)]
    if strange:
        known = "\n".join([*ENGINES, *(case.name for case in cases)])
        sys.exit(f"no engine and no case is called {', '.join(strange)}; there are:\n{known}")
    whole = {case.name for case in cases} & set(parts)
    wanted = [case for case in cases if not parts or case.name in whole or any(part in case.name for part in set(parts) - whole)]
    return wanted, [FLOOR, *(name for name in engines or ENGINES if name != FLOOR)]


def _weight(case: Case) -> float:
    return case.labels + case.rows


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="point-in-time-data-") as folder:
        yield kept or Path(folder)


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((row.split(":", 1)[1].strip() for row in lines if row.startswith("model name")), platform.processor())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 10**9
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}, {versions}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--limit-seconds", type=float, default=120)
    parser.add_argument("--limit-gb", type=float, default=16)
    parser.add_argument("--row-group", type=int, default=131_072)
    return parser.parse_args()


if __name__ == "__main__":
    main()
