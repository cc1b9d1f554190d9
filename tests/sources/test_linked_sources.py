"""Two workloads on the same sources: one has the files, the other links to them, and DVC goes by what they hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "pipelines" / "sources"


def test_every_source_of_the_one_is_linked_by_the_other() -> None:
    here, there = SOURCES / "retrieval", SOURCES / "alignment"
    kinds = ("*.sql", "*.yaml", "[a-z]*.py")
    files = {path.name for kind in kinds for path in there.glob(kind)}
    links = {path.name: path.readlink().as_posix() for path in here.iterdir() if path.is_symlink()}
    assert links == {name: f"../alignment/{name}" for name in files}
    assert {"npz.sql", "npz.yaml", "shopsphere.sql", "shopsphere.yaml", "simulated.yaml"} <= files


def test_a_stage_that_reads_a_folder_of_links_is_run_again_where_what_they_point_to_changes(tmp_path: Path) -> None:
    def told(*command: str) -> str:
        environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout

    def dvc(*arguments: str) -> str:
        return told(sys.executable, "-m", "dvc", *arguments)

    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "source.sql").write_text("SELECT 1", encoding="utf-8")
    (tmp_path / "other" / "source.sql").symlink_to("../one/source.sql")
    (tmp_path / "dvc.yaml").write_text("stages: {read: {cmd: 'true', deps: [other]}}", encoding="utf-8")
    told("git", "init", "--quiet")
    dvc("init", "--quiet")
    dvc("repro", "--quiet")
    assert json.loads(dvc("status", "--json")) == {}
    (tmp_path / "one" / "source.sql").write_text("SELECT 2", encoding="utf-8")
    assert json.loads(dvc("status", "--json")) == {"read": [{"changed deps": {"other": "modified"}}]}
