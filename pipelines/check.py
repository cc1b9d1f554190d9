"""check: typed rows → rows that may be used; bad rows are set aside with the reason, a bad drop is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from pipelines.stage import run
from watertight.checks.suite import Check, declared, judge
from watertight.checks.verdict import Verdict
from watertight.core.contract import SourceContract, Target
from watertight.core.errors import Refusal
from watertight.core.project import Workload
from watertight.core.tables import read_table, replacing, write_json, write_table
from watertight.core.versions import as_they_were


def check(work: Workload, out: Path) -> None:
    """The rows that passed, now and as they were known before; the earlier versions of them; and the verdict on all of them."""
    rows = read_table(work.data("rows", "rows.parquet"))
    superseded = read_table(work.data("rows", "superseded.parquet"))
    verdicts = [judge_rows(work, each) for each in (rows, *as_they_were(rows, superseded))]
    for each in verdicts:
        each.demand()
    aside = pl.concat([set_aside(each, rows) for each in verdicts]).unique("row_id", keep="first", maintain_order=True)
    good = ~pl.col("row_id").is_in(aside["row_id"].to_list())
    kept = rows.filter(good)
    if kept.is_empty():
        reasons = "\n".join(f"  - {result.told()}" for result in verdicts[0].failed if result.quarantine)
        raise Refusal(
            f"no row is good enough to keep\n{reasons}",
            rows=rows["row_id"].to_list(),
            expected="at least one good row",
            next_step="check the file; nothing was changed",
        )
    _quarantine(work, aside)
    write_table(kept, out / "rows.parquet")
    write_table(superseded.filter(good), out / "superseded.parquet")
    write_json({**verdicts[0].summary(), "quarantined": aside.height}, out / "verdict.json")


def judge_rows(work: Workload, rows: pl.DataFrame, also: Iterable[Check] = ()) -> Verdict:
    """The verdict of the contract, the source's ranges, the workload's own suite and ``also`` on ``rows``."""
    return judge("rows", rows, [*declared("rows", work.expectations), *_contracted(work.contract), *also])


def set_aside(verdict: Verdict, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that a quarantining check named, and the children of such rows, with a ``reason``."""
    reasons: dict[str, str] = {}
    for result in verdict.failed:
        if result.quarantine:
            reasons |= {row: result.type + f"({result.kwargs})" for row in result.row_ids}
    children = rows.filter(pl.col("parent_id").is_in(list(reasons)))["row_id"]
    reasons |= dict.fromkeys(children, "its parent is quarantined")
    named = pl.DataFrame(
        {"row_id": list(reasons), "reason": list(reasons.values())}, schema={"row_id": pl.String, "reason": pl.String}
    )
    return rows.join(named, on="row_id", how="inner", maintain_order="left")


def _quarantine(work: Workload, aside: pl.DataFrame) -> None:
    folder = work.quarantine_folder / "check"
    if aside.is_empty() and not folder.exists():
        return
    with replacing(folder) as [draft]:
        draft.mkdir()
        for (drop,), rows in aside.partition_by("drop", as_dict=True).items():
            write_table(rows, draft / f"{drop}.parquet")
    if not aside.is_empty():
        print(f"{work.name} · check: {aside.height} row(s) quarantined, with reasons, in {folder}")


def _contracted(contract: SourceContract) -> Iterator[Check]:
    """What the source's contract says of its columns, as checks."""
    if contract.group != "group_id":
        kwargs = {"column_A": "group_id", "column_B": contract.group}
        yield Check(type="expect_column_pair_values_to_be_equal", kwargs=kwargs)
    for name, target in contract.targets.items():
        yield from _target_checks(name, target)
    for name in contract.text:
        yield Check(
            type="expect_readable_text",
            kwargs={"column": name, "most": contract.text_chars},
            meta={"quarantine": True},
        )
        yield Check(type="expect_undamaged_text", kwargs={"column": name}, severity="warning")


def _target_checks(name: str, target: Target) -> Iterator[Check]:
    if target.range is not None:
        low, high = target.range
        yield Check(type="expect_column_values_to_be_between", kwargs={"column": name, "min_value": low, "max_value": high})
    if target.classes is not None:
        yield Check(type="expect_column_values_to_be_in_set", kwargs={"column": name, "value_set": list(target.classes)})


if __name__ == "__main__":
    run("check", check, "data/{workload}/checked")
