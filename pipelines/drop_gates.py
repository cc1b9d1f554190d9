"""What the gates say of the history with a drop in it, before the drop is let in."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from pipelines.check import judge_rows
from pipelines.drift import judge_drift
from pipelines.drop import Drop
from pipelines.features import Features, features_of_new_rows
from pipelines.gates import TRAINING_SET
from pipelines.guard import evidence_checks
from pipelines.split import judge_split
from watertight.checks.suite import Check, judge, required
from watertight.checks.verdict import Verdict, demand_passed
from watertight.core.digests import ids_digest
from watertight.core.errors import Misuse, Refusal
from watertight.core.ledger import Reference
from watertight.core.tables import read_table


def judge_drop(drop: Drop) -> Iterator[Verdict]:
    """The verdicts on the rows, on the splits, on the time contract of the drop's rows, and on drift.

    Each is demanded in its turn. A check that is waived lets a run go on, never a drop in.
    """
    rows = drop.kept_after
    yield _demanded(judge_rows(drop.work, rows))
    together = rows.join(_splits(drop, rows), on="row_id", how="left", maintain_order="left")
    features = Features(drop.work)
    yield _demanded(judge_split(drop.work, together))
    keys = _keys_within_groups(features)
    if keys:
        yield _demanded(judge("keys", together, keys))
    current = together.join(drop.part, on="row_id", how="semi", maintain_order="left")
    joined = current.join(features_of_new_rows(features, current, drop.after.versions), on="row_id", maintain_order="left")
    yield _demanded(_judge_evidence(features, drop, joined))
    yield _demanded(_judge_drift(features, drop, joined))


def _splits(drop: Drop, rows: pl.DataFrame) -> pl.DataFrame:
    """The assignment of every row; raises Refusal where the drop would move a row that it does not change."""
    now, before = drop.splits_after, drop.splits_before
    changed = rows.filter(pl.col("row_id").is_in(drop.part["row_id"]) | pl.col("parent_id").is_in(drop.part["row_id"]))
    unchanged = before.join(changed, on="row_id", how="anti", maintain_order="left")
    moved = unchanged.join(now, on=["row_id", "split", "fold"], how="anti", nulls_equal=True, maintain_order="left")
    if not moved.is_empty():
        raise Refusal(
            f"{moved.height} row(s) that are known would change their split or fold",
            rows=moved["row_id"].to_list(),
            expected="old rows to keep their place, so that old figures stay comparable",
            next_step="look at the groups of these rows in the drop; nothing was changed",
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
    if ids_digest(drop.before.rows.filter(mine)["row_id"]) != reference.row_ids:
        raise Misuse(
            f"the drops {', '.join(reference.drops)} have other rows than when the reference profile was frozen",
            expected=f"{reference.rows} rows of {reference.groups} groups, with the digest {reference.row_ids}",
            next_step=f"watertight profile {work.name}",
        )
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


def moves(drop: Drop) -> pl.DataFrame:
    """Rows that were known and whose split or fold the drop changes, by a late label or a correction: row_id, before, now."""
    both = drop.splits_before.join(drop.splits_after, on="row_id", suffix="_now", maintain_order="left")
    same = pl.col("split").eq_missing(pl.col("split_now")) & pl.col("fold").eq_missing(pl.col("fold_now"))
    return both.filter(~same).select("row_id", before="split", now="split_now")


def _demanded(verdict: Verdict) -> Verdict:
    verdict.demand()
    told = verdict.summary()
    if told["waived"]:
        demand_passed(told, "the drop is not let in")
    return verdict
