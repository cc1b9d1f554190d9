"""split: each row gets its split and fold, once; every declared property is verified on the rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from pipelines.stage import run, tell_left_out
from watertight.checks.suite import Check, declared, judge, suite_of
from watertight.checks.verdict import Verdict
from watertight.core.declare import nearest
from watertight.core.errors import Misuse
from watertight.core.known_names import demand_known_names
from watertight.core.project import Workload
from watertight.core.rows import labelled
from watertight.core.tables import read_table, write_json, write_table
from watertight.core.versions import first_versions
from watertight.evaluation.splitting import Splitting, split_rows

EQUAL, APART = 1 - 1e-6, "expect_no_neighbours_across_splits"
"""The cosine of a vector and the same one at half precision is above it."""


def split(work: Workload, out: Path) -> None:
    """row_id, split and fold of every checked row, and the report that verifies them."""
    demand_known_names(work)
    rows = read_table(work.data("checked", "rows.parquet"))
    superseded = read_table(work.data("checked", "superseded.parquet"))
    skipped = work.contract.absent(work.params.split.strata)
    tell_left_out(work, "split", "strata", skipped)
    splitting = assigned(work, rows, superseded)
    together = rows.join(splitting.rows, on="row_id", how="left", maintain_order="left")
    verdict = judge_split(work, together)
    verdict.demand()
    write_table(splitting.rows, out / "split.parquet")
    write_table(splitting.groups, out / "groups.parquet")
    report = {"parts": _counts(together), "strata_skipped": skipped, **verdict.summary()}
    write_json(report, out / "split.json")


def assigned(work: Workload, rows: pl.DataFrame, superseded: pl.DataFrame) -> Splitting:
    """The split and fold of ``rows``, of which ``superseded`` are the earlier versions."""
    _demand_test_drops(work, rows)
    mark = labelled(work.contract).alias("labelled")
    first = first_versions(rows, superseded).with_columns(mark)
    return split_rows(rows.with_columns(mark), first, work.params.split, _strata(work))


def judge_split(work: Workload, together: pl.DataFrame) -> Verdict:
    """The verdict on rows with their split and fold: of the contract, of the workload, of what its section promises."""
    checks = [*declared("split", work.expectations), *_promised(work, _strata(work))]
    return judge("split", together, checks, work.params.waive, targets=work.contract.targets)


def _demand_test_drops(work: Workload, rows: pl.DataFrame) -> None:
    """A test drop under a wrong name would be trained on: raise Misuse where one is not among the rows."""
    known = rows["drop"].unique(maintain_order=True).to_list()
    strange = [name for name in work.params.split.test_drops if name not in known]
    if strange:
        raise Misuse(
            f"split.test_drops names {strange[0]!r}, and no row is of such a drop; {nearest(strange[0], known)}",
            expected="drops of this source, of which every row is tested on",
            next_step="name the drop, or declare test_drops: [] for a source that has none",
        )


def _strata(work: Workload) -> list[str]:
    skipped = work.contract.absent(work.params.split.strata)
    return [name for name in work.params.split.strata if name not in skipped]


def _promised(work: Workload, strata: list[str]) -> Iterator[Check]:
    """What the section of the workload promises, as checks, and that texts and vector targets of the source stand on one side."""
    params = work.params.split
    yield Check(type="expect_future_after_training", kwargs={"gap_days": params.test_future.gap_days})
    yield Check(
        type="expect_groups_share",
        kwargs={"split": "test_groups", "share": params.test_groups.share},
        severity="warning",
    )
    if params.folds_by == "time":
        yield Check(type="expect_embargo_between_folds", kwargs={"days": params.embargo_days})
    else:
        for column in strata:
            yield Check(type="expect_strata_balanced", kwargs={"column": column, "tolerance": 0.1}, severity="warning")
    if params.test_drops:
        yield Check(type="expect_test_drops_apart", kwargs={"drops": list(params.test_drops)})
    for column in work.contract.own_text:
        yield Check(type="expect_no_duplicates_across_splits", kwargs={"column": column}, severity="warning")
    for column in _unsettled(work):
        yield Check(type=APART, kwargs={"column": column, "least": EQUAL}, severity="warning")


def _unsettled(work: Workload) -> list[str]:
    """The vector targets of which the workload's own suite does not say how near two of them may be."""
    own = [check.kwargs.get("column") for check in suite_of("split", work.expectations) if check.type == APART]
    return [name for name, target in work.contract.targets.items() if target.kind == "vector" and name not in own]


def _counts(rows: pl.DataFrame) -> dict[str, dict[str, int]]:
    names = pl.concat_str(pl.col("split"), pl.col("fold").cast(pl.String), separator=" fold ", ignore_nulls=True)
    counted = rows.group_by(names.alias("part")).agg(rows=pl.len(), groups=pl.col("group_id").n_unique())
    return {part: {"rows": rows, "groups": groups} for part, rows, groups in counted.sort("part").iter_rows()}


if __name__ == "__main__":
    run("split", split, "data/{workload}/split")
