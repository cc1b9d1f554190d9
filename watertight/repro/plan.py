"""What ``dvc repro`` would go through, in its own order, and what of it may have to run. Everything is asked of DVC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.dvcfile import PROJECT_FILE
from dvc.exceptions import DvcException
from dvc.repo import Repo, lock_repo
from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
from dvc.utils.serialize import load_yaml, modify_yaml

from watertight.core.errors import Misuse


@dataclass(frozen=True)
class Plan:
    """The stages of one run, as DVC addresses them from ``root``.

    ``upstream`` maps each stage, in the order of plain ``dvc repro``, to those whose outputs it reads. ``due`` are the
    stages that DVC finds changed, and all that are downstream of them; the others need no process to be started.
    ``locks`` maps each ``dvc.lock`` to the names of the due stages that it did not have before, in the same order.
    """

    root: Path
    upstream: dict[str, frozenset[str]]
    due: frozenset[str]
    locks: dict[Path, list[str]]


def plan(targets: Sequence[str]) -> Plan:
    """What a run of ``targets`` (stages of DVC; none: all of the root's ``dvc.yaml``) goes through.

    Adds the outputs of the due stages to ``.gitignore`` as DVC does when it saves them, but in the order of the plan.
    Raises Misuse with DVC's own words where DVC cannot tell: no repository, no such stage, a cycle, a lock held.
    """
    try:
        root = Path(Repo.find_root())
        with chdir(root), _locked(root, wait=False) as repo:
            graph = get_active_graph(repo.index.graph)  # an edge goes from a stage to one whose outputs it reads
            stages = plan_repro(graph, collect_stages(repo, targets or [PROJECT_FILE]))
            due = _due(stages, graph)
            for stage in due:
                stage.ignore_outs()
            names = {stage: stage.addressing for stage in stages}
            upstream = {name: frozenset(names[other] for other in graph.successors(stage)) for stage, name in names.items()}
            return Plan(root, upstream, frozenset(names[stage] for stage in due), _new_entries(list(due)))
    except DvcException as error:
        raise Misuse(str(error), stage="repro") from error


def settle(planned: Plan) -> None:
    """Put the entries that are new in ``dvc.lock`` into the order of the plan; DVC appended them as the stages ended."""
    if not any(planned.locks.values()):
        return
    with _locked(planned.root, wait=True) as repo:
        for path, new in planned.locks.items():
            names = _entries(path)
            wanted = [name for name in new if name in names]
            if [name for name in names if name in wanted] != wanted:
                with modify_yaml(path) as lock:
                    for name in wanted:
                        lock["stages"].move_to_end(name)
                repo.scm_context.track_file(str(path))


@contextmanager
def _locked(root: Path, wait: bool) -> Iterator[Any]:
    """The DVC repository at ``root``, its lock held; other DVC processes do not touch ``dvc.lock`` meanwhile."""
    with Repo(str(root), _wait_for_lock=wait) as repo, lock_repo(repo), repo.scm_context(quiet=True):
        yield repo


def _due(stages: list[Any], graph: Any) -> dict[Any, None]:
    """The stages that DVC finds changed and those downstream of them, in order; whatever is downstream is not even looked at."""
    found: dict[Any, None] = {}
    for stage in stages:
        if any(other in found for other in graph.successors(stage)) or stage.changed():
            found[stage] = None
    return found


def _new_entries(stages: list[Any]) -> dict[Path, list[str]]:
    pairs = [(Path(stage.path).with_suffix(".lock"), stage.name) for stage in stages if stage.cmd and stage.name]
    known = {path: _entries(path) for path, _ in pairs}
    return {path: [name for place, name in pairs if place == path and name not in known[path]] for path in known}


def _entries(path: Path) -> list[str]:
    return list(load_yaml(path).get("stages", {})) if path.exists() else []
