"""What a candidate must prove before its figures count: its verdicts, what they are bound to, and its bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipelines.features import Features
from pipelines.gates import TRAINING_SET, demand_guarded, demand_judged, demand_model_passed
from pipelines.predict import bundle_of
from pipelines.promotion.candidate import BUNDLE, TRAIN, Candidate
from pipelines.register import bank_of, card_of, manifest_of
from watertight.checks.verdict import demand_passed
from watertight.core.digests import file_digest
from watertight.core.errors import Refusal, WatertightError
from watertight.core.tables import read_json, read_table
from watertight.core.workload import GatesParams
from watertight.evaluation.metrics import METRICS, metric_of
from watertight.inference.loaded import CARD, Loaded
from watertight.registry.binding import unbound
from watertight.registry.bundle import MANIFEST
from watertight.registry.objects import Objects
from watertight.registry.records import GateResult, Verdict
from watertight.registry.repository import in_commit

NOT_PROMOTED = "it is not promoted"
NEVER_OVERRIDDEN = ("bound", "bundle")
"""Gates that no reason overrides: without them nobody could say, or run, what was promoted."""

JUDGED_BY = ("expectations/{}.yaml", "watertight/checks")
LAST = "register"
"""The stage that makes the bundle."""

Proof = Callable[[Candidate, Objects], str]


def proofs(candidate: Candidate, objects: Objects) -> Iterator[GateResult]:
    """An answer per proof: pass, or fail with the reason."""
    yield _bound(candidate, objects)
    for gate, proof in (("verdicts", _verdicts), ("bundle", _bundle), ("signature", _signature)):
        yield _asked(gate, proof, candidate, objects)


def _asked(gate: str, proof: Proof, candidate: Candidate, objects: Objects) -> GateResult:
    try:
        return GateResult(gate=gate, status="pass", told=proof(candidate, objects))
    except WatertightError as error:
        return GateResult(gate=gate, status="fail", told=f"{error.what}; {error.next_step or error.expected or ''}".rstrip("; "))


def _bound(candidate: Candidate, objects: Objects) -> GateResult:
    """Whether everything that made the bundle is what the commit has: code, params, data, each stage's inputs."""
    faults = unbound(candidate.tree, candidate.work.name, LAST, objects)
    if faults:
        return GateResult(gate="bound", status="fail", told="; ".join(faults))
    told = f"every stage up to {LAST} ran with the data, params and code of {candidate.found.commit[:12]}"
    return GateResult(gate="bound", status="pass", told=told)


def _verdicts(candidate: Candidate, objects: Objects) -> str:
    """Every gate of every stage before the bundle passed by itself, on these very files, by the working tree's own checks."""
    work = candidate.work
    _demand_same_checks(candidate)
    told = dict(verdict_files(candidate))
    for _, verdict in told.values():
        demand_passed(verdict, NOT_PROMOTED)
    demand_guarded(work, NOT_PROMOTED)
    demand_judged(work, NOT_PROMOTED)
    demand_model_passed(work, candidate.bundle.manifest.cell, NOT_PROMOTED)
    return f"{', '.join(told)} and model passed, on these very rows and predictions"


def _demand_same_checks(candidate: Candidate) -> None:
    """Raise Refusal where the candidate was judged by other expectations, or other code of checks, than the working tree's."""
    root, commit = candidate.project.root, candidate.found.commit
    names = [place.format(candidate.work.name) for place in JUDGED_BY]
    other = [name for name in names if in_commit(root, commit, name) != in_commit(root, "HEAD", name)]
    if other:
        raise Refusal(
            f"it was judged by another {' and another '.join(other)} than what is committed here",
            expected="one bar for every candidate",
            next_step="merge the checks first, and run the candidate again",
        )


def verdict_files(candidate: Candidate) -> Iterator[tuple[str, tuple[Path, dict[str, Any]]]]:
    """Per gate the file that tells its verdict, and the verdict."""
    work = candidate.work
    single = (work.data("checked", "verdict.json"), work.data("split", "split.json"), work.artifacts("guard", "verdict.json"))
    for place in single:
        told = read_json(place)
        yield told["gate"], (place, told)
    judged = work.artifacts("evaluate", "evaluation.json")
    yield from ((told["gate"], (judged, told)) for told in read_json(judged)["verdicts"])


def _bundle(candidate: Candidate, objects: Objects) -> str:
    """Complete, unchanged, on the remote, and it answers."""
    bundle = candidate.bundle
    _demand_trained(candidate, objects)
    place = BUNDLE.format(candidate.work.name)
    missing = objects.missing(candidate.stored)
    if missing:
        raise Refusal(f"{len(missing)} object(s) of {place} are not on the remote", next_step="--push, or dvc push before")
    rows = read_table(candidate.work.data(*TRAINING_SET)).head(1)
    Loaded(bundle).predict(rows)
    return f"{len(bundle.manifest.files)} files, whole and on the remote; it answers {', '.join(candidate.targets)}"


def _demand_trained(candidate: Candidate, objects: Objects) -> None:
    """Raise Refusal where the bundle is not of what `train` made: nothing reads a bundle, so no lock says that it is."""
    made, mine = (objects.files(candidate.out(place)) for place in (TRAIN, BUNDLE))
    manifest = manifest_of(candidate.work)
    bank = manifest.correction.bank if manifest.correction else ""
    strange = sorted(name for name in mine if name not in (MANIFEST, CARD, bank) and mine[name] != made.get(name))
    if bank and (bank not in mine or (candidate.bundle.folder / bank).read_bytes() != bank_of(candidate.work, manifest)):
        strange.append(bank)
    if candidate.bundle.manifest.model_copy(update={"files": {}}) != manifest:
        strange.append(MANIFEST)
    if (candidate.bundle.folder / CARD).read_text(encoding="utf-8") != card_of(candidate.work, manifest):
        strange.append(CARD)
    if strange:
        raise Refusal(
            f"the bundle has {', '.join(strange)}, which the run did not make so",
            expected="the models that were trained, and a manifest and a card that say so",
            next_step="dvc repro --force --single-item register@…, and commit dvc.lock",
        )


def _signature(candidate: Candidate, objects: Objects) -> str:
    """The features that it was fitted on are those that the service gives."""
    bundle = bundle_of(Features(candidate.work))
    return f"as service {bundle.manifest.service!r} of feature_repo/ gives them"


def uncompared(candidate: Candidate, policy: GatesParams) -> Iterator[GateResult]:
    """A failure for each target of the candidate that no gate sets beside the version in the stage."""
    for name in candidate.targets:
        kind = candidate.work.contract.targets[name].kind
        asked = (gate for metric, gate in policy.metrics.items() if metric_of(kind, metric) and gate.better_by is not None)
        if not any(gate.targets is None or name in gate.targets for gate in asked):
            told = (
                f"no gate says what it must be better in; in params.yaml, gates: {next(iter(METRICS[kind]))}: {{better_by: 0.0}}"
            )
            yield GateResult(gate="compared", target=name, status="fail", told=told)


def verdicts(candidate: Candidate) -> dict[str, Verdict]:
    """What the record of a version keeps of each gate."""
    return {
        gate: Verdict(status=told["status"], counts=told["counts"], digest=file_digest(place))
        for gate, (place, told) in verdict_files(candidate)
    }
