"""What the gates say of the history with a drop in it, before the drop is let in."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from pipelines.drift import judge_drift
from pipelines.drop import Drop
from pipelines.features import Features, features_of_new_rows
from pipelines.gates import TRAINING_SET
from pipelines.guard import evidence_checks
from pipelines.split import assigned, judge_split
from watertight.checks.suite import Check, judge, required
from watertight.checks.verdict import Verdict
from watertight.core.errors import Misuse, Refusal
from watertight.core.ledger import Reference
from watertight.core.tables import read_table


def judge_drop(drop: Drop) -> Iterator[Verdict]:
    """The verdicts on the splits, on the time contract of the drop's rows, and on drift; each demanded in its turn."""
    rows = drop.kept_after
    together = rows.join(_splits(drop, rows), on="row_id", how="left", maintain_order="left")
    features = Features(drop.work)
    yield _demanded(judge_split(drop.work, together))
    yield _demanded(judge("keys", together, _keys_within_groups(features)))
    current = together.join(drop.part, on="row_id", how="semi", maintain_order="left")
    joined = current.join(features_of_new_rows(features, current, drop.after.versions), on="row_id", maintain_order="left")
    yield _demanded(_judge_evidence(features, drop, joined))
    yield _demanded(_judge_drift(features, drop, joined))


def _splits(drop: Drop, rows: pl.DataFrame) -> pl.DataFrame:
    """The assignment of every row; raises Refusal where the drop would move a row that it does not change."""
    now = assigned(drop.work, rows, drop.after.superseded).rows
    before = assigned(drop.work, drop.kept_before, drop.before.superseded).rows
    unchanged = before.join(drop.part, on="row_id", how="anti", maintain_order="left")
    moved = unchanged.join(now, on=["row_id", "split", "fold"], how="anti", nulls_equal=True, maintain_order="left")
    if not moved.is_empty():
        raise Refusal(
            f"{moved.height} row(s) that are known would change their split or fold",
            rows=moved["row_id"].to_list(),
            expected="old rows to keep their place, so that old figures stay comparable",
            next_step="let the drop in as a source of its own; nothing was changed",
        )
    return now


def _keys_within_groups(features: Features) -> list[Check]:
    """A history belongs to one group: a key that the drop brings under another group would carry labels across splits."""
    keys = dict.fromkeys(view.key for view in features.served("labels"))
    return [required(Check(type="expect_history_within_groups", kwargs={"key": key})) for key in keys]


def _judge_evidence(features: Features, drop: Drop, joined: pl.DataFrame) -> Verdict:
    others = drop.after.versions.join(joined, on=["row_id", "created_at"], how="anti", maintain_order="left")
    return judge("training_set", joined, map(required, evidence_checks(features)), superseded=others)


def _judge_drift(features: Features, drop: Drop, joined: pl.DataFrame) -> Verdict:
    """The drop's rows beside those of the frozen reference profile, as the training set has them."""
    reference = drop.work.ledger.reference
    if reference is None:
        return judge_drift(drop.work, joined, features, None)
    known = _reference_rows(drop, reference)
    return judge_drift(drop.work, pl.concat([known, joined], how="diagonal_relaxed"), features, reference.drops)


def _reference_rows(drop: Drop, reference: Reference) -> pl.DataFrame:
    """The training set's rows of the reference; raises Misuse where it does not have them all."""
    work, mine = drop.work, pl.col("drop").is_in(reference.drops)
    place, wanted = work.data(*TRAINING_SET), drop.kept_before.filter(mine)
    rows = read_table(place).filter(mine) if place.is_file() else wanted.clear()
    lost = wanted.join(rows, on="row_id", how="anti", maintain_order="left")["row_id"]
    if len(lost):
        raise Misuse(
            f"{len(lost)} of the {wanted.height} rows of the reference profile are not in the training set",
            rows=lost.to_list(),
            expected=f"{place.relative_to(work.project.root)} with the drops {', '.join(reference.drops)}",
            next_step=f"dvc repro join@{work.name}; or freeze another profile: watertight profile {work.name}",
        )
    return rows


def _demanded(verdict: Verdict) -> Verdict:
    verdict.demand()
    return verdict
