"""A trial watched from outside: it is ended when it takes more time or memory than it may, and that is its result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .engines import FLOOR, OURS
from .files import Files
from .trial import BEGAN, JUDGED, MEASURED, memory
from .truth import Verdict

HERE = Path(__file__).parents[1]
BESIDE_THE_CALL = 900.0
LOOK_EVERY = 0.05
GB = 10**9


@dataclass(frozen=True)
class Limits:
    """Seconds of the timed call, and GB (10⁹ bytes) that the process may hold."""

    seconds: float
    gb: float


@dataclass(frozen=True)
class Outcome:
    """What one trial gave: figures in seconds and bytes (``before`` the call), or in ``stopped`` why there are none."""

    seconds: float = float("nan")
    processor: float = float("nan")
    peak: float = float("nan")
    output: float = 0
    before: float = 0
    stopped: str = ""
    verdict: Verdict | None = None


def tried(name: str, files: Files, limits: Limits, judge: bool) -> Outcome:
    """Run a trial and wait for it."""
    if name == OURS and find_spec("watertight.stores.offline_store") is None:
        return Outcome(stopped="not installed")
    with tempfile.TemporaryDirectory(prefix="point-in-time-") as folder:
        here = Path(folder)
        with (here / "log").open("wb") as log, _ended(_started(name, files, judge, here, log)) as process:
            stopped = _watch(process, here, limits)
        return _outcome(here, stopped or _exceeded_after_all(here, limits), judge and name != FLOOR)


def _started(name: str, files: Files, judge: bool, here: Path, log: Any) -> subprocess.Popen[bytes]:
    told = {"case": asdict(files.case), "data": str(files.data.resolve()), "row_group": files.row_group}
    places = [str(HERE), str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "PYTHONWARNINGS": "ignore", "FEAST_USAGE": "False"}
    command = [sys.executable, "-m", f"{__package__}.trial", name, json.dumps(told), "judge" if judge else "-"]
    return subprocess.Popen(command, cwd=here, env=environment, stdout=log, stderr=log, start_new_session=True)


def _watch(process: subprocess.Popen[bytes], here: Path, limits: Limits) -> str:
    """Wait for the end of a trial; the reason for which it is to be ended, or nothing."""
    started, began, reason = time.monotonic(), None, ""
    while process.poll() is None and not reason:
        time.sleep(LOOK_EVERY)
        now = time.monotonic()
        measured = (here / MEASURED).exists()
        if began is None and (here / BEGAN).exists():
            began = now
        if began is not None and not measured:
            reason = _exceeded(now - began, _held(process.pid), limits)
        elif now - started > BESIDE_THE_CALL + limits.seconds:
            reason = "failed: no end beside the call"
    return reason


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Leave no trial behind, neither one that was stopped nor one whose benchmark was interrupted."""
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _held(process: int) -> int:
    try:
        return memory("VmRSS", str(process))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _exceeded(seconds: float, held: float, limits: Limits) -> str:
    if seconds > limits.seconds:
        return f"> {limits.seconds:g} s"
    return f"> {limits.gb:g} GB" if held > limits.gb * GB else ""


def _exceeded_after_all(here: Path, limits: Limits) -> str:
    """A call may end between two looks at it."""
    if not (here / MEASURED).exists():
        return ""
    told = _read(here / MEASURED)
    return _exceeded(told["seconds"], told["before"] + told["peak"], limits)


def _outcome(here: Path, stopped: str, judged: bool) -> Outcome:
    if stopped:
        return Outcome(stopped=stopped)
    if not (here / (JUDGED if judged else MEASURED)).exists():
        return Outcome(stopped=f"failed: {_last_line(here / 'log')}")
    verdict = Verdict(**_read(here / JUDGED)) if judged else None
    return Outcome(**_read(here / MEASURED), verdict=verdict)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "ended without a word"
