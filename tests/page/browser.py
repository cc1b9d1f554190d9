"""A page as Chromium shows it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

CHROMIUM = shutil.which("chromium")


def opened(page: str, folder: Path) -> tuple[str, list[str], list[str]]:
    """The document as Chromium shows it, who in the page asked the network for something, and what the console said."""
    folder.mkdir()
    (folder / "index.html").write_text(page, encoding="utf-8")
    log = folder / "net.json"
    command = [
        str(CHROMIUM),
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=2000"),
        *("--no-first-run", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
        *(f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", "--dump-dom", (folder / "index.html").as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    initiators = re.findall(r'"initiator":"([^"]*)"', log.read_text(encoding="utf-8"))
    asked = [name for name in initiators if name != "not an origin"]  # which is the browser itself
    return done.stdout, asked, [line for line in done.stderr.splitlines() if ":CONSOLE:" in line]
