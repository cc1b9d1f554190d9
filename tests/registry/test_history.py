from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.registry.made_records import BY, add_version, at_hour, made_facts, promoted
from watertight.core.errors import Misuse, Refusal
from watertight.registry.bumps import next_version
from watertight.registry.history import Registry, parse_selector, registries, registry_of
from watertight.registry.records import Event, Interface


@pytest.fixture
def judge(tmp_path: Path) -> Registry:
    """1.0.0 and 1.1.0 promoted an hour apart, and back to 1.0.0 an hour later; 1.1.0 is tried in staging since."""
    registry = Registry(tmp_path, "judge")
    promoted(registry, "1.0.0", 0)
    promoted(registry, "1.1.0", 1)
    registry.append("rollback", "1.0.0", stage="prod", at=at_hour(2), by=BY, reason="slow")
    promoted(registry, "1.1.0", 3, stage="staging")
    return registry


def holders(registry: Registry, hours: float | None = None) -> dict[str, str]:
    at = None if hours is None else at_hour(hours)
    return {stage: event.version for stage, event in registry.holders(at).items()}


def test_a_stage_is_held_by_the_version_of_its_last_event(judge: Registry) -> None:
    assert holders(judge) == {"prod": "1.0.0", "staging": "1.1.0"}
    assert holders(Registry(judge.root, "judge")) == holders(judge)


@pytest.mark.parametrize(
    ("hours", "held"),
    [(-0.1, {}), (0, {"prod": "1.0.0"}), (0.9, {"prod": "1.0.0"}), (1, {"prod": "1.1.0"}), (2, {"prod": "1.0.0"})],
)
def test_the_past_can_be_asked(judge: Registry, hours: float, held: dict[str, str]) -> None:
    assert holders(judge, hours) == held


def test_two_events_of_one_instant_are_told_apart_by_their_number(judge: Registry) -> None:
    promoted(judge, "1.2.0", 3)
    promoted(judge, "1.3.0", 3)
    assert holders(judge)["prod"] == "1.3.0"


def test_versions_are_ordered_as_numbers(judge: Registry) -> None:
    add_version(judge, "1.10.0")
    add_version(judge, "1.9.0")
    assert judge.versions() == ["1.0.0", "1.1.0", "1.9.0", "1.10.0"]


@pytest.mark.parametrize(
    ("asked", "version"),
    [({}, "1.0.0"), ({"stage": "staging"}, "1.1.0"), ({"version": "1.1.0"}, "1.1.0"), ({"stage": "prod"}, "1.0.0")],
)
def test_what_is_asked_for_is_found(judge: Registry, asked: dict[str, str], version: str) -> None:
    assert judge.resolve(**asked).version == version


def test_without_production_the_newest_usable_version_is_meant(tmp_path: Path) -> None:
    registry = Registry(tmp_path, "judge")
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        add_version(registry, version)
    registry.append("deprecation", "1.2.0", at=at_hour(0), by=BY, reason="wrong labels")
    assert registry.resolve().version == "1.1.0"


@pytest.mark.parametrize("asked", [{"version": "1.2.0"}, {"stage": "porduction"}])
def test_what_is_not_there_is_told_with_what_is(judge: Registry, asked: dict[str, str]) -> None:
    with pytest.raises(Misuse, match=r"1\.1\.0|prod"):
        judge.resolve(**asked)


def test_models_are_found_by_their_folders(judge: Registry) -> None:
    (judge.root / "models" / "looked_at" / "looks").mkdir(parents=True)
    promoted(Registry(judge.root, "perception"), "1.0.0", 0)
    assert [registry.model for registry in registries(judge.root)] == ["judge", "perception"]
    with pytest.raises(Misuse, match="did you mean 'judge'"):
        registry_of(judge.root, "judgee")


@pytest.mark.parametrize(
    ("selector", "meant"),
    [("judge", ("judge", None, None)), ("judge@1.2.0", ("judge", "1.2.0", None)), ("judge#prod", ("judge", None, "prod"))],
)
def test_selectors(selector: str, meant: tuple[str | None, ...]) -> None:
    assert parse_selector(selector) == meant


@pytest.mark.parametrize("selector", ["", "judge@", "judge@1.2", "judge@v1.2.0", "judge#prod@1.0.0", "@1.0.0", "a judge"])
def test_what_is_no_selector_is_refused(selector: str) -> None:
    with pytest.raises(Misuse, match="selects no version"):
        parse_selector(selector)


def test_events_are_chained_and_name_their_version(judge: Registry) -> None:
    events = judge.events()
    assert [event.number for event in events] == [1, 2, 3, 4]
    assert [event.previous for event in events] == ["", *(event.digest for event in events[:-1])]
    assert events[1].record == judge.version("1.1.0").digest


def test_time_never_goes_back(judge: Registry) -> None:
    with pytest.raises(Refusal, match="before the last event"):
        promoted(judge, "1.1.0", 2.9)
    promoted(judge, "1.1.0", 3)


def test_a_deprecated_version_is_not_promoted(judge: Registry) -> None:
    promoted(judge, "1.2.0", 3, stage="staging")
    judge.append("deprecation", "1.1.0", at=at_hour(4), by=BY, reason="wrong labels")
    with pytest.raises(Refusal, match=r"1\.1\.0 is deprecated"):
        promoted(judge, "1.1.0", 5)
    promoted(judge, "1.2.0", 5)


def test_a_record_is_written_once(judge: Registry) -> None:
    before = judge.place_of("1.0.0").read_bytes()
    with pytest.raises(Refusal, match="there already"):
        add_version(judge, "1.0.0", rmse=1.0)
    assert judge.place_of("1.0.0").read_bytes() == before
    assert [path.name for path in judge.folder.rglob(".*")] == []


def test_an_event_that_somebody_else_wrote_meanwhile_is_not_overwritten(judge: Registry) -> None:
    other = Registry(judge.root, "judge")
    other.events()
    promoted(judge, "1.1.0", 4)
    with pytest.raises(Refusal, match="there already"):
        promoted(other, "1.0.0", 5)
    assert holders(Registry(judge.root, "judge"))["prod"] == "1.1.0"


def test_an_edited_version_is_not_handed_out(judge: Registry) -> None:
    path = judge.place_of("1.0.0")
    path.write_text(path.read_text().replace('"scored"', '"other"', 1))
    with pytest.raises(Refusal, match=r"version 1\.0\.0 was edited"):
        judge.resolve()
    assert judge.resolve(version="1.1.0").cell == "scored"


@pytest.mark.parametrize("kind", ["promotion", "deprecation"])
def test_only_a_deprecation_has_no_stage(judge: Registry, kind: Any) -> None:
    given = json.loads(judge.event_files()[0].read_text())
    stage = "prod" if kind == "deprecation" else ""
    with pytest.raises(ValueError, match=r"of a stage|without a stage"):
        Event(**{**given, "kind": kind, "stage": stage})


@pytest.mark.parametrize("kind", ["override", "rollback", "deprecation"])
@pytest.mark.parametrize("reason", ["", " \n"])
def test_what_goes_around_the_gates_says_why(judge: Registry, kind: Any, reason: str) -> None:
    given = json.loads(judge.event_files()[0].read_text())
    told = {**given, "kind": kind, "stage": "" if kind == "deprecation" else "prod"}
    with pytest.raises(ValueError, match=f"{kind} without a reason"):
        Event(**{**told, "reason": reason})
    assert Event(**{**told, "reason": "slow"}).kind == kind


CHANGED_INTERFACE = Interface(inputs=("prompt_id", "text"), targets={"score": "scalar", "grade": "class"})


@pytest.mark.parametrize(
    ("changes", "version", "because"),
    [
        ({}, "1.1.1", "fitted again"),
        ({"params": {"train": {}}}, "1.1.1", "fitted again"),
        ({"interface": CHANGED_INTERFACE}, "2.0.0", "targets: grade"),
        ({"interface": Interface(inputs=("text",), targets={"score": "scalar"}), "cell": "x"}, "2.0.0", "inputs: prompt_id"),
        ({"cell": "network"}, "1.2.0", "cell: scored → network"),
        ({"families": ("lightgbm",)}, "1.2.0", "families: mlp, calibrated → lightgbm"),
        ({"encoders": {"all-MiniLM-L6-v2": "0" * 64}}, "1.2.0", "encoders: all-MiniLM-L6-v2"),
        ({"views": {}}, "1.2.0", "views: judge_history"),
        ({"signature": "1" * 64}, "1.2.0", "signature: "),
        ({"service": "judge_small"}, "1.2.0", "service: judge → judge_small"),
        ({"correction": "csls (method csls)"}, "1.2.0", "correction:  → csls (method csls)"),
    ],
)
def test_the_number_says_what_changed(judge: Registry, changes: dict[str, Any], version: str, because: str) -> None:
    found, reasons = next_version(judge, made_facts(fit="another", **changes))
    assert found == version
    assert reasons[0].startswith(because)


def test_the_first_version_and_the_same_bundle(tmp_path: Path) -> None:
    registry, facts = Registry(tmp_path, "judge"), made_facts(fit="first")
    assert next_version(registry, facts)[0] == "1.0.0"
    registry.write_version(facts.numbered(*next_version(registry, facts)))
    registry.write_version(made_facts(fit="second").numbered("2.0.0", ("targets: grade",)))
    assert next_version(registry, facts) == ("1.0.0", ("the same bundle",))


def test_a_number_is_from_the_highest_version_whatever_holds_a_stage(judge: Registry) -> None:
    add_version(judge, "3.4.5")
    assert next_version(judge, made_facts(fit="another"))[0] == "3.4.6"


def test_what_was_written_is_read_to_the_last_digit(judge: Registry) -> None:
    """Or a digest would be of other content: numbers of every size, keys that are no text, texts that are no ASCII."""
    numbers = [struct.unpack("<d", struct.pack("<Q", bits))[0] for bits in random.Random(0).choices(range(1 << 62), k=2000)]
    params = {"numbers": [*numbers, 0.1 + 0.2, 5e-324, -0.0, 2**63, 10**30], "edges": {1: "ä\u2028", 2.5: None}}
    written = add_version(judge, "1.2.0", params=params)
    assert judge.version("1.2.0").digest == written.digest
    promoted(judge, "1.2.0", 4)
    assert Registry(judge.root, "judge").resolve().digest == written.digest


def test_asking_the_registry_imports_nothing_slow() -> None:
    modules = ("overview", "diary", "lineage", "history", "bumps")
    code = f"import sys; {'; '.join(f'import watertight.registry.{name}' for name in modules)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "watertight.registry.history" in loaded
    assert {"polars", "numpy", "pyarrow", "dvc", "feast", "git"} & set(loaded) == set()
