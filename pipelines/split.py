"""split: each row gets its split and fold, once; every declared property is verified on the rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from pipelines.stage import run, tell_left_out
from watertight.checks.suite import Check, declared, judge
from watertight.core.known_names import demand_known_names
from watertight.core.project import Workload
from watertight.core.rows import labelled
from watertight.core.tables import read_table, write_json, write_table
from watertight.core.versions import first_versions
from watertight.core.workload import SplitParams
from watertight.evaluation.splitting import Splitting, split_rows


def split(work: Workload, out: Path) -> None:
    """row_id, split and fold of every checked row, and the report that verifies them."""
    demand_known_names(work)
    rows = read_table(work.data("checked", "rows.parquet"))
    superseded = read_table(work.data("checked", "superseded.parquet"))
    params = work.params.split
    skipped = work.contract.absent(params.strata)
    tell_left_out(work, "split", "strata", skipped)
    strata = [name for name in params.strata if name not in skipped]
    splitting = assigned(work, rows, superseded, strata)
    together = rows.join(splitting.rows, on="row_id", how="left", maintain_order="left")
    verdict = judge("split", together, [*declared("split", work.expectations), *_promised(params, strata)], work.params.waive)
    verdict.demand()
    write_table(splitting.rows, out / "split.parquet")
    write_table(splitting.groups, out / "groups.parquet")
    report = {"parts": _counts(together), "strata_skipped": skipped, **verdict.summary()}
    write_json(report, out / "split.json")


def assigned(work: Workload, rows: pl.DataFrame, superseded: pl.DataFrame, strata: list[str]) -> Splitting:
    """The split and fold of ``rows``, of which ``superseded`` are the earlier versions."""
    mark = labelled(work.contract).alias("labelled")
    first = first_versions(rows, superseded).with_columns(mark)
    return split_rows(rows.with_columns(mark), first, work.params.split, strata)


def _promised(params: SplitParams, strata: list[str]) -> Iterator[Check]:
    """The properties that the workload's section declares, as checks."""
    yield Check(type="expect_future_after_training", kwargs={"gap_days": params.test_future.gap_days})
    yield Check(
        type="expect_groups_share",
        kwargs={"split": "test_groups", "share": params.test_groups.share},
        severity="warning",
    )
    for column in strata:
        yield Check(type="expect_strata_balanced", kwargs={"column": column, "tolerance": 0.1}, severity="warning")


def _counts(rows: pl.DataFrame) -> dict[str, dict[str, int]]:
    names = pl.concat_str(pl.col("split"), pl.col("fold").cast(pl.String), separator=" fold ", ignore_nulls=True)
    counted = rows.group_by(names.alias("part")).agg(rows=pl.len(), groups=pl.col("group_id").n_unique())
    return {part: {"rows": rows, "groups": groups} for part, rows, groups in counted.sort("part").iter_rows()}


if __name__ == "__main__":
    run("split", split, "data/{workload}/split")
