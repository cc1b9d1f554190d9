"""One online store and many processes: they build it in turn and once, and who only joins never touches it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from project_copies import REPOSITORY

from pipelines import materialize as stage
from pipelines.features import Features
from watertight.checks.verdict import Verdict
from watertight.core.project import Project, Workload
from watertight.core.tables import read_json, write_json
from watertight.stores.definitions import load_definitions
from watertight.stores.online_store import CLASS_PATH
from watertight.stores.private import private_store

TOLD = {"views": {"history": {"entities": 3, "newest": None}}, "digest": "new"}
MODULE = """
from feast import Entity, FeatureService, ValueType

from watertight.features.views import scalars, temporal_view

author = Entity(name="author", join_keys=["author_id"], value_type=ValueType.STRING)
history = temporal_view("toy", entity=author, labels=["valence"])
toy = FeatureService(name="toy", features=[history[scalars(history)]])
"""
ELSEWHERE = "online_store:\n  type: redis\n  connection_string: nowhere.invalid:1\n"


@dataclass(frozen=True)
class SlowFeatures:
    """Features whose online store takes a while to write; every build leaves a line in ``builds``."""

    work: Workload

    @contextmanager
    def store(self, online: Path) -> Iterator[None]:
        with (self.work.project.root / "builds").open("a") as log:
            log.write("built\n")
        online.write_text("half")
        time.sleep(0.5)
        online.write_text("whole")
        yield


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Features:
    monkeypatch.setattr(stage, "contents", lambda features: TOLD)
    monkeypatch.setattr(stage, "write_online", lambda *given: None)
    monkeypatch.setattr(stage, "judge_online", lambda *given: Verdict("serving", 0, ()))
    work = Workload(Project(tmp_path), "toy", cast(Any, None))
    write_json({"gate": "training_set", "status": "pass"}, work.artifacts("guard", "verdict.json"))
    return cast(Features, SlowFeatures(work))


def _builds(features: Features) -> int:
    log = features.work.project.root / "builds"
    return len(log.read_text().splitlines()) if log.exists() else 0


def _whole(features: Features) -> bool:
    return features.work.data("online", "online.db").read_text() == "whole" and _stamp(features) == TOLD


def _stamp(features: Features) -> Any:
    return read_json(features.work.data("online", "stamp.json"))


def _at_once(*works: Any) -> list[int | None]:
    """The exit codes of forked processes that begin together."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(len(works))

    def begin(work: Any) -> None:
        barrier.wait(10)
        work()

    processes = [context.Process(target=begin, args=(work,)) for work in works]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    return [process.exitcode for process in processes]


@pytest.mark.parametrize("old", [False, True], ids=["missing", "of other content"])
def test_processes_that_need_the_store_together_build_it_once(slow: Features, old: bool) -> None:
    if old:
        write_json({**TOLD, "digest": "old"}, slow.work.data("online", "stamp.json"))
        slow.work.data("online", "online.db").write_text("old")
    assert _at_once(*[lambda: stage.online_store(slow)] * 3) == [0, 0, 0]
    assert _whole(slow)
    assert _builds(slow) == 1


def test_the_stage_and_a_prediction_take_turns(slow: Features, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stage, "Features", lambda work: slow)
    assert _at_once(lambda: stage.materialize(slow.work, tmp_path), lambda: stage.online_store(slow)) == [0, 0]
    assert _whole(slow)


def test_a_store_that_is_whole_is_not_built_again(slow: Features) -> None:
    for _ in range(2):
        assert stage.online_store(slow).read_text() == "whole"
    assert _builds(slow) == 1


def test_a_stamp_without_its_database_is_not_believed(slow: Features) -> None:
    write_json(TOLD, slow.work.data("online", "stamp.json"))
    assert stage.online_store(slow).read_text() == "whole"


@pytest.mark.parametrize("declared", ["embedded", "elsewhere"])
def test_a_join_touches_no_online_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: str) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("feature_repo", "data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "params.yaml").write_text("workloads: [toy]\n")
    text = (REPOSITORY / "feature_repo" / "feature_store.yaml").read_text()
    if declared == "elsewhere":
        embedded = f"online_store:\n  type: {CLASS_PATH}\n  path: ../data/online.db\n"
        assert embedded in text
        text = text.replace(embedded, ELSEWHERE)
    config, module = tmp_path / "feature_repo" / "feature_store.yaml", tmp_path / "feature_repo" / "toy.py"
    config.write_text(text)
    module.write_text(MODULE)
    with private_store(load_definitions(module), config) as store:
        assert [view.name for view in store.list_feature_views()] == ["toy_history"]
        own = Path(store.config.online_store.path)
        assert own.is_file() and not own.is_relative_to(tmp_path)
    assert list((tmp_path / "data").iterdir()) == []
    assert not own.exists()
