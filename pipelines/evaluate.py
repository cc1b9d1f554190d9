"""evaluate: refuse predictions whose witness speaks against them; figures with intervals and row sets; slices; plots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.gates import PREDICTIONS
from pipelines.model_gate import judged_cells
from pipelines.set_beside import row_sets
from pipelines.stage import run, tell_left_out
from watertight.checks.suite import declared, judge
from watertight.checks.verdict import Verdict
from watertight.core.digests import file_digest
from watertight.core.errors import Refusal
from watertight.core.known_names import demand_known_names
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table, write_json, write_table
from watertight.core.treatment import EXCHANGING
from watertight.core.witness import CELL, evidence, input_evidence, made_evidence
from watertight.evaluation.figures import cases, figures, figures_table, galleries_left_out, of_cells, slices_covered
from watertight.evaluation.inventory import inventory
from watertight.evaluation.metrics import metrics_declared
from watertight.evaluation.plots import calibration_points, slice_points
from watertight.progress import track

ROLES = ("row_id", "group_id", "parent_id", "synthetic", "split", pl.col("fold").alias("assigned_fold"))


def evaluate(work: Workload, out: Path, metrics: Path, plots: Path) -> None:
    """The verdict on the out-of-fold predictions, then figures per target and cell, overall and by slice."""
    demand_known_names(work)
    rows = read_table(work.data("training_set", "training_set.parquet"))
    predictions = read_table(work.artifacts(*PREDICTIONS))
    witnesses = read_table(work.artifacts("train", "witnesses.parquet"))
    judged = [_demanded(verdict) for verdict in _verdicts(work, rows, predictions, witnesses)]
    _demand_every_row(rows, predictions)
    told = _figures(work, rows, predictions)
    of_cell, params = of_cells(told), work.params.evaluate
    skipped = {name: reason for name, reason in work.contract.absent(params.slices).items() if name not in rows.columns}
    tell_left_out(work, "evaluate", "slices", skipped)
    smaller = galleries_left_out(of_cell, params)
    tell_left_out(work, "evaluate", "galleries", smaller)
    write_table(told, out / "figures.parquet")
    inventory(read_json(work.artifacts("train", "train.json")), told).write_csv(out / "inventory.csv")
    report = {"slices": slices_covered(told, params), "slices_skipped": skipped, "galleries_skipped": smaller}
    of = file_digest(work.artifacts(*PREDICTIONS))
    models = list(judged_cells(work, rows, predictions))
    write_json({"verdicts": judged, "models": models, "of": of, **report}, out / "evaluation.json")
    write_json(_headlines(of_cell, work), metrics)
    plots.mkdir()
    calibration_points(rows, predictions, work.contract.targets).write_csv(plots / "calibration.csv")
    slice_points(of_cell).write_csv(plots / "slices.csv")


def _verdicts(work: Workload, rows: pl.DataFrame, predictions: pl.DataFrame, witnesses: pl.DataFrame) -> Iterator[Verdict]:
    """On the predictions; where rows were made, on these; and where cells stand over others, on what these were fitted on."""
    gate, waived = "out_of_fold", work.params.waive
    yield judge(gate, witnessed(rows, predictions, witnesses), declared(gate, work.expectations), waived)
    made = read_table(work.artifacts("train", "made.parquet"))
    _demand_made(work, predictions, made)
    if not made.is_empty():
        told = made_evidence(made, predictions.select("row_id", *CELL, "fitted_on"), rows.select(ROLES), witnesses)
        yield judge("made", told, declared("made", work.expectations), waived)
    inputs = read_table(work.artifacts("train", "inputs.parquet"))
    _demand_inputs(work, predictions, inputs)
    if not inputs.is_empty():
        yield judge("inputs", input_evidence(inputs, rows, witnesses), declared("inputs", work.expectations), waived)
    yield judge("figures", row_sets(work, rows, predictions), declared("figures", work.expectations), waived)


def _demanded(verdict: Verdict) -> dict[str, Any]:
    verdict.demand()
    return verdict.summary()


def _demand_made(work: Workload, predictions: pl.DataFrame, made: pl.DataFrame) -> None:
    """Raise Refusal where rows were made for a model, the final one included, and it does not say which: all of them."""
    counts = {tuple(key): rows for *key, rows in made.group_by(*CELL, "fitted_on").len().iter_rows()}
    told = {
        (cell["target"], cell["cell"], cell["seed"], model): sum(steps.values())
        for cell in read_json(work.artifacts("train", "train.json"))["made"]
        for model, steps in cell["made"].items()
    }
    silent = {key[1] for key in told.keys() | counts.keys() if told.get(key, 0) != counts.get(key, 0)}
    silent |= {name for name in predictions["cell"].unique() if _makes(work, name) and not _told_of(name, told)}
    if silent:
        rows = predictions.filter(pl.col("cell").is_in(sorted(silent)))["row_id"].unique(maintain_order=True)
        raise Refusal(
            f"cell {min(silent)!r} does not say which rows were made for a model of it",
            rows=rows.to_list(),
            expected="in made.parquet, for each model, the rows that its treatments made and of which",
            next_step="train the cell again; nothing was scored",
        )


def _makes(work: Workload, name: str) -> bool:
    """Whether a cell is declared to have treatments that make rows of other features."""
    cell = work.params.train.cells.get(name)
    return cell is not None and any(isinstance(step, EXCHANGING) for step in work.params.train.steps_of(cell))


def _told_of(name: str, told: dict[tuple[Any, ...], int]) -> bool:
    mine = [rows for (_, cell, _, _), rows in told.items() if cell == name]
    return bool(mine) and all(rows > 0 for rows in mine)


def _demand_inputs(work: Workload, predictions: pl.DataFrame, inputs: pl.DataFrame) -> None:
    """Raise Refusal where a model over other cells, the final one included, does not say whose predictions it was fitted on."""
    told = read_json(work.artifacts("train", "train.json"))
    wanted = pl.DataFrame(told["fits"], schema=inputs.select(*CELL, "member", "fitted_on").schema)
    silent = wanted.join(inputs, on=wanted.columns, how="anti", maintain_order="left")
    if not silent.is_empty():
        cell, member = silent.select("cell", "member").row(0)
        lost = predictions.join(silent.select(CELL).unique(), on=CELL, how="semi", maintain_order="left")
        raise Refusal(
            f"cell {cell!r} does not say which predictions of {member!r} it was fitted on",
            rows=lost["row_id"].unique(maintain_order=True).to_list(),
            expected="in inputs.parquet, for each model, the rows it read of each cell and who predicted them",
            next_step="train the cell again; nothing was scored",
        )


def witnessed(rows: pl.DataFrame, predictions: pl.DataFrame, witnesses: pl.DataFrame) -> pl.DataFrame:
    """Predictions beside the roles of their rows and what their witnesses say: what the gate judges."""
    roles = rows.select(ROLES)
    own = evidence(predictions.select("row_id", *CELL, "fold", "fitted_on"), roles, witnesses)
    return own.join(roles.drop("parent_id"), on="row_id", how="left", maintain_order="left")


def _demand_every_row(rows: pl.DataFrame, predictions: pl.DataFrame) -> None:
    """A cell that leaves out hard rows would look better than it is: raise Refusal with the rows that it leaves out."""
    real = rows.filter((pl.col("split") == "train") & ~pl.col("synthetic"))
    for (target, cell, seed), part in predictions.partition_by(CELL, as_dict=True, maintain_order=True).items():
        wanted = real.filter(pl.col(str(target)).is_not_null())["row_id"]
        lost = wanted.filter(~wanted.is_in(part["row_id"].to_list()))
        if len(lost):
            raise Refusal(
                f"cell {cell!r} (seed {seed}) leaves out training rows that have {target!r}",
                rows=lost.to_list(),
                expected=f"an out-of-fold prediction of each of the {len(wanted)} rows",
                next_step="train the cell again; nothing was scored",
            )


def _figures(work: Workload, rows: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """Every target, slice, cell and seed, as in ``FIGURES``."""
    declared = work.params.evaluate
    asked = list(cases(rows, predictions, work.contract.targets, declared.slices, declared))
    tracked = track(asked, len(asked), f"{work.name} · evaluate, slices")
    return figures_table(record for case in tracked for record in figures(case, declared.intervals))


def _headlines(told: pl.DataFrame, work: Workload) -> dict[str, Any]:
    """What ``dvc metrics show`` and ``dvc exp show`` print: per target the registered cell's figures and their row set.

    Where a cell has several seeds, of their mean prediction. Beside the figures ``<metric>_low`` and ``<metric>_high`` of
    the headline metrics, and ``<baseline>_<metric>``, the first metric of each declared baseline. All cells stand in
    ``figures.parquet`` and are printed by ``watertight metrics``.
    """
    overall = told.filter(pl.col("slice") == "").with_columns(pl.col("figure", "low", "high").round(6))
    targets = overall.partition_by("target", as_dict=True, maintain_order=True)
    return {str(target): _headline(part, work, str(target)) for (target,), part in targets.items()}


def _headline(told: pl.DataFrame, work: Workload, target: str) -> dict[str, Any]:
    known = metrics_declared(work.contract.targets[target].kind, work.params.evaluate)
    mine = told.filter(pl.col("cell") == work.params.register_.cell).drop_nulls("figure").to_dicts()
    found = {line["metric"]: line["figure"] for line in mine}
    headlines = [line for line in mine if known[line["metric"]].headline and line["low"] is not None]
    ends = {f"{line['metric']}_{end}": line[end] for line in headlines for end in ("low", "high")}
    first = next((name for name in known if name in found), next(iter(known)))
    beside = told.filter((pl.col("metric") == first) & pl.col("cell").is_in(work.params.evaluate.baselines))
    baselines = {f"{line['cell']}_{first}": line["figure"] for line in beside.to_dicts()}
    of = mine[0] if mine else told.row(0, named=True)
    return {**found, **ends, **baselines, "rows": of["rows"], "row_set": of["row_set"]}


if __name__ == "__main__":
    run(
        "evaluate",
        evaluate,
        "artifacts/{workload}/evaluate",
        "artifacts/{workload}/metrics.json",
        "artifacts/{workload}/plots",
    )
