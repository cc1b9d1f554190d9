"""What the gates say of the history with a drop in it, before the drop is let in."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from pipelines.check import judge_rows, set_aside
from pipelines.drop import Drop
from pipelines.features import Features, features_of_new_rows
from pipelines.guard import evidence_checks
from pipelines.split import assigned, judge_split
from watertight.checks.suite import Check, judge, required
from watertight.checks.verdict import Verdict
from watertight.core.errors import Refusal
from watertight.core.project import Workload
from watertight.core.versions import Merged


def judge_drop(drop: Drop) -> Iterator[Verdict]:
    """The verdicts on the splits, on the time contract of the drop's rows, and on drift; each demanded in its turn."""
    rows = _kept(drop.work, drop.after)
    together = rows.join(_splits(drop, rows), on="row_id", how="left", maintain_order="left")
    features = Features(drop.work)
    yield _demanded(judge_split(drop.work, together))
    yield _demanded(judge("keys", together, _keys_within_groups(features)))
    current = together.join(drop.part, on="row_id", how="semi", maintain_order="left")
    joined = current.join(features_of_new_rows(features, current, drop.after.versions), on="row_id", maintain_order="left")
    yield _demanded(_judge_evidence(features, drop, joined))


def _kept(work: Workload, known: Merged) -> pl.DataFrame:
    """The rows that the check stage keeps."""
    return known.rows.join(set_aside(judge_rows(work, known.rows), known.rows), on="row_id", how="anti", maintain_order="left")


def _splits(drop: Drop, rows: pl.DataFrame) -> pl.DataFrame:
    """The assignment of every row; raises Refusal where the drop would move a row that it does not change."""
    now = assigned(drop.work, rows, drop.after.superseded).rows
    before = assigned(drop.work, _kept(drop.work, drop.before), drop.before.superseded).rows
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


def _demanded(verdict: Verdict) -> Verdict:
    verdict.demand()
    return verdict
