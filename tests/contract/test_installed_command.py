"""The command as it is installed: `watertight` is importable, the project's own stages are found by its root alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment in which the library alone is on the path."""
    (tmp_path / "watertight").symlink_to(ROOT / "watertight", target_is_directory=True)
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def command(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-P", "-c", "from watertight.cli import app; app()", *arguments]
    return subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("folder", [".", "feature_repo"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["predict", "percepton", "--text", "hello"], "did you mean 'perception'?"),
        (["metrics", "percepton"], "did you mean 'perception'?"),
        (["score", "perception"], "next: add --test"),
        (["fetch", "perception/simulated"], ""),
    ],
)
def test_every_command_finds_the_stages_of_the_project(
    installed: dict[str, str], folder: str, arguments: list[str], told: str
) -> None:
    done = command(installed, ROOT / folder, *arguments)
    assert done.returncode == (2 if told else 0), done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_outside_a_project_a_command_says_so(installed: dict[str, str], tmp_path: Path) -> None:
    done = command(installed, tmp_path, "metrics", "perception")
    assert done.returncode == 2
    assert "is not in a Watertight project" in done.stderr
