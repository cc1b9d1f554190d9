"""Records as a promotion writes them, of the size of real ones, from a few words on what matters to a test."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from watertight.registry.history import Registry
from watertight.registry.records import (
    Evidence,
    GateResult,
    Interface,
    LockedStage,
    Stored,
    Verdict,
    VersionFacts,
    VersionRecord,
)

BEGAN = datetime(2026, 5, 1, 9, tzinfo=UTC)
BY = "Ada <ada@example.org>"
STAGES = ("ingest", "check", "split", "featurize", "join", "guard", "train", "evaluate", "register")
OUTS = {
    "ingest": "data/{}/rows",
    "check": "data/{}/checked",
    "split": "data/{}/split",
    "featurize": "data/{}/features",
    "join": "data/{}/training_set",
    "guard": "artifacts/{}/guard",
    "train": "artifacts/{}/train",
    "evaluate": "artifacts/{}/evaluate",
    "register": "artifacts/{}/bundle",
}
METRICS = ("rmse", "mae", "r", "macro_rmse", "nll", "coverage", "calibration_error")
PARTS = ("out_of_fold", "test_groups", "test_drops")


def md5(*words: object) -> str:
    return hashlib.md5("·".join(map(str, words)).encode()).hexdigest()


def sha256(*words: object) -> str:
    return hashlib.sha256("·".join(map(str, words)).encode()).hexdigest()


def made_facts(model: str = "judge", fit: str = "first", rmse: float = 2.0, **changes: Any) -> VersionFacts:
    """The facts of a version whose models are those of ``fit`` and whose test figures lie around ``rmse``."""
    given: dict[str, Any] = {
        "model": model,
        "revision": sha256("commit", fit)[:40],
        "source": "simulated",
        "cell": "scored",
        "families": ("mlp", "calibrated"),
        "interface": Interface(inputs=("prompt_id", "text"), targets={"score": "scalar"}),
        "service": model,
        "signature": sha256("signature"),
        "views": {f"{model}_{name}": sha256("view", name) for name in ("lexical", "text", "metric", "history")},
        "encoders": {"all-MiniLM-L6-v2": sha256("encoder")},
        "drops": {"train": 5000, "test": 3638},
        "bundle": Stored(md5=f"{md5('bundle', fit)}.dir", size=1_234_567, nfiles=9),
        "manifest": sha256("manifest", fit),
        "stages": made_stages(model, fit),
        "params": {"train": {"cells": {f"cell_{n}": {"family": "lightgbm", "views": ["a", "b"]} for n in range(20)}}},
        "verdicts": {name: Verdict(status="pass", counts={"pass": 12}, digest=sha256(name)) for name in ("split", "guard")},
        "figures": tuple(figure(part, metric, rmse) for part in PARTS for metric in METRICS),
    }
    return VersionFacts(**{**given, **changes})


def figure(part: str, metric: str, value: float, target: str = "score") -> dict[str, Any]:
    """A figure as ``watertight.evaluation.figures`` tells it."""
    interval = {"figure": value, "low": value - 0.1, "high": value + 0.1}
    rows = {"rows": 3638, "groups": 1091, "row_set": md5(part, target)[:16]}
    where = {"target": target, "part": part}
    return {**where, "metric": metric, **interval, **rows}


def made_stages(model: str, fit: str) -> dict[str, LockedStage]:
    """Stages that read one another's outputs and code; those from train on are of ``fit``."""
    found, last = {}, {f"drops/{model}": md5("drops")}
    for place, name in enumerate(STAGES):
        out = Stored(md5=f"{md5(name, fit if place >= STAGES.index('train') else '')}.dir", size=10_000, nfiles=4)
        code = {f"pipelines/{name}{n}.py": md5(name, n) for n in range(8)}
        made = OUTS[name].format(model)
        deps = {**last, **code, "watertight/core": md5("core")}
        found[name] = LockedStage(cmd=f"python -m pipelines.{name} {model}", deps=deps, outs={made: out})
        last = {made: out.md5}
    return found


def made_evidence(champion: str = "", difference: float = -0.12, look: str = "") -> Evidence:
    """A promotion's evidence: a paired gate with its interval, a bound, and a gate that could judge nothing; of one look."""
    paired = GateResult(
        gate="rmse",
        target="score",
        status="pass",
        paired=True,
        figure=difference,
        low=difference - 0.05,
        high=difference + 0.05,
        bound=0.0,
        rows=3638,
        groups=1091,
        row_set=md5("test_drops", "score")[:16],
        told=f"rmse of score {difference:+.4f}, at most {difference + 0.05:+.4f} at 95 %",
    )
    size = GateResult(gate="size_mb", status="pass", figure=1.2, bound=50.0, told="1.2 MB of at most 50")
    slices = GateResult(gate="slices", target="score", part="language=fr", status="skipped", told="12 groups of at least 20")
    return Evidence(champion=champion, looks={"candidate": look or sha256("look")[:16]}, gates=(paired, size, slices))


def at_hour(hours: float) -> datetime:
    """That many hours after the first event of a test."""
    return BEGAN + timedelta(hours=hours)


def add_version(registry: Registry, version: str, **facts: Any) -> VersionRecord:
    """A version's file, its fit named after it."""
    record = made_facts(registry.model, **{"fit": version, **facts}).numbered(version, ("fitted again",))
    registry.write_version(record)
    return record


def promoted(registry: Registry, version: str, hours: float, stage: str = "prod", **event: Any) -> Path:
    """The event of a promotion, and the version's file where it is not there yet."""
    if version not in registry.versions():
        add_version(registry, version)
    held = registry.holders().get(stage)
    given = {"kind": "promotion", "evidence": made_evidence(held.version if held else "cell mean"), **event}
    return registry.append(version=version, stage=stage, at=at_hour(hours), by=BY, **given)
