"""One call of one engine, in a process of its own, which tells what it measured by files in the current folder.

A small case of the same kind is answered first: what is imported or compiled at a first call is no part of the second. Then
the labels are read, the store is set up, and the files are read once so that they lie in the file cache. Only then the clock
starts, and the memory held by the process is taken as that of imports and set-up.
"""

from __future__ import annotations

import contextlib
import gc
import json
import re
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .cases import Case
from .engines import FLOOR, engine
from .files import Files
from .truth import judge

BEGAN, MEASURED, JUDGED = "began", "measured.json", "judged.json"
CHUNK = 1 << 22


def main() -> None:
    """Arguments: the engine's name; files as JSON; whether the answer is to be judged (``judge`` or not)."""
    name, told, judged = sys.argv[1:]
    files = files_of(json.loads(told))
    prepared, here = engine(name), Path.cwd()
    prepared(Files(files.case.small(), files.data, files.row_group), here / "small")()
    call = prepared(files, here / "whole")
    _warm(files)
    table, figures = _measured(call, here)
    _tell(here / MEASURED, figures)
    if judged == "judge" and name != FLOOR:
        _tell(here / JUDGED, asdict(judge(files, table)))


def files_of(told: dict[str, Any]) -> Files:
    """Files from their JSON, which is that of their fields."""
    return Files(Case(**told["case"]), Path(told["data"]), told["row_group"])


def _measured(call: Any, here: Path) -> tuple[Any, dict[str, float]]:
    gc.collect()
    _forget_peak()
    before = memory("VmRSS")
    (here / BEGAN).touch()
    began, spent = time.perf_counter(), time.process_time()
    table = call()
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    peak = memory("VmHWM") - before
    output = table.get_total_buffer_size()
    return table, {"seconds": seconds, "processor": spent, "peak": peak, "output": output, "before": before}


def memory(what: str, process: str = "self") -> int:
    """Bytes of a process by a name of /proc/PID/status: VmRSS is what it holds now, VmHWM the most it held."""
    found = re.search(rf"^{what}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _forget_peak() -> None:
    """Let VmHWM count from now; where Linux does not allow that, it counts from the start of the process."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _warm(files: Files) -> None:
    for path in files.all():
        with path.open("rb") as file:
            while file.read(CHUNK):
                pass


def _tell(path: Path, told: dict[str, Any]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(told), encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    main()
