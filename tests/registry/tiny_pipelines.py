"""A project whose graph has the shape of ours, and whose stages take no time: real git, real DVC, two workloads."""

from __future__ import annotations

from pathlib import Path

from tests.story.project_copies import ProjectCopy

GRAPH = """
stages:
  ingest:
    foreach: ${workloads}
    do:
      cmd: python -m steps.ingest ${item}
      deps: [steps, "drops/${item}"]
      params: ["${item}.ingest"]
      outs: ["data/${item}/rows"]
  fit:
    foreach: ${workloads}
    do:
      cmd: python -m steps.fit ${item}
      deps: [steps, "data/${item}/rows/rows.txt"]
      params: ["${item}.fit"]
      outs: ["data/${item}/bundle"]
"""
STAGE = """
import sys
from pathlib import Path

try:
    from steps.extra import EXTRA
except ImportError:
    EXTRA = "nothing"

work = sys.argv[1]
out = Path("data", work, {name!r})
out.mkdir(parents=True, exist_ok=True)
text = Path("params.yaml").read_text() + EXTRA
(out / {file!r}).write_text({name!r} + work + text)
(out / "more").mkdir(exist_ok=True)
(out / "more" / "note.txt").write_text(work)
"""
FILES = {
    "dvc.yaml": GRAPH,
    "params.yaml": """
workloads: [judge, other]
judge:
  ingest: {rows: 3}
  fit: {rate: 1}
other:
  ingest: {rows: 4}
  fit: {rate: 2}
""",
    "steps/__init__.py": "",
    "steps/ingest.py": STAGE.format(name="rows", file="rows.txt"),
    "steps/fit.py": STAGE.format(name="bundle", file="model.txt"),
    "drops/judge/ledger.json": "{}\n",
    "drops/other/ledger.json": "{}\n",
    ".dvcignore": "__pycache__\n",
    ".gitignore": "__pycache__/\n/data/\n/.dvc/remote\n",
}


def bare_project(root: Path, environment: dict[str, str]) -> ProjectCopy:
    """A committed repository of git and DVC with a folder as its default remote, and nothing else."""
    root.mkdir(parents=True)
    project = ProjectCopy(root, environment)
    project.git("init", "--quiet", "--initial-branch", "main")
    project.dvc("init", "--quiet")
    project.dvc("remote", "add", "--quiet", "--default", "storage", ".dvc/remote")
    (root / ".gitignore").write_text("/.dvc/remote\n")
    project.commit("a project")
    return project


def tiny_pipelines(root: Path, environment: dict[str, str]) -> ProjectCopy:
    """The project with a part of a drop that DVC tracks, built and committed."""
    project = bare_project(root, environment)
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "drops" / "judge" / "part.txt").write_text("rows that were let in\n")
    project.dvc("add", "--quiet", "drops/judge/part.txt")
    project.dvc("repro", "--quiet")
    project.commit("built")
    return project
