"""The parts of a page: split, gates, and per target figures, reliability, slices, importance and weights; provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from watertight.page.blocks import Part, Table, interval, table, text
from watertight.page.charts import STEP, Chart, Mark, bands, bars, forest, legend, reliability
from watertight.page.facts import Judged, Run, slice_name
from watertight.page.sought import sought
from watertight.page.weights import Weighed, blends, weighed

FEATURES_SHOWN = 15
SPREAD = 6
FAINT_LEGEND = ("—", "#9a9a9a", "cells below it")


def split(run: Run) -> Part:
    """Rows and groups of each part of the split."""
    rows = [{"part": name, "rows": told["rows"], "groups": told["groups"]} for name, told in run.split["parts"].items()]
    return Part("Split", ("A group is never split. Test parts are not looked at on this page.",), (), (table("Parts", rows),))


def gates(run: Run) -> Part:
    """How each gate judged, every check, and every train cell."""
    told = [judged.verdict for judged in run.gates]
    counts = [{"gate": one["gate"], "rows": one["rows"], "verdict": one["status"], **one["counts"]} for one in told]
    checks = [{"gate": one["gate"], **_check(check)} for one in told for check in one["checks"]]
    cells = [
        {"target": judged.target, "cell": judged.cell, "seed": judged.seed, "verdict": judged.verdict["status"], **_check(check)}
        for judged in run.models
        for check in judged.verdict["checks"]
    ]
    note = "The gate model judges each train cell by itself. A cell that does not pass may be compared, and is not registered."
    tables = (
        table("Verdicts", counts),
        table("Checks", checks, f"All {len(checks)} checks"),
        table("Gate model: every train cell", cells, f"All {len(run.models)} train cells"),
    )
    return Part("Guards", (note,), (), tables)


def _check(check: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "check": check["type"],
        "arguments": ", ".join(f"{name}={value!r}" for name, value in sorted(check["kwargs"].items())),
        "severity": check["severity"],
        "status": check["status"],
        "count": check["count"],
        "found": check["reason"],
    }


def of_target(run: Run, target: str) -> list[Part]:
    """The parts of one target; of a vector those that are of scalars are left out."""
    parts = [
        figures(run, target),
        *(sought(run.sought[target], target) if target in run.sought else [calibration(run, target)]),
        *coverage(run, target),
        errors_by_slice(run, target),
        importance(run, target),
        *weights(run, target),
    ]
    return [part for part in parts if target not in run.sought or part.charts or part.tables or part.sheets]


def figures(run: Run, target: str) -> Part:
    """Every cell's metrics on all rows, and a chart of each headline."""
    overall = run.of(target, slice="")
    drawn = run.params.evaluate.intervals
    note = (
        f"Out of fold, so no row was predicted by a model that was fitted on it. In brackets a {drawn.confidence:.0%} interval "
        f"from {drawn.resamples:,} resamples of whole groups. Figures can be compared only within one row set. That "
        "the intervals of two cells overlap does not say that the cells are equal: their difference has an interval of its own."
    )
    charts = tuple(_headline(run, target, metric) for metric in run.headlines(target))
    return Part("Figures", (note,), charts, (_figures_table(run, target, overall),))


def _headline(run: Run, target: str, metric: str) -> Chart:
    of = run.row_set(target)
    told = run.of(target, slice="", metric=metric, row_set=of).drop_nulls("figure").to_dicts()
    names = [_with_role(run, line["cell"]) for line in told]
    marks = [Mark(row, line["figure"], line["low"], line["high"], _series(run, line["cell"])) for row, line in enumerate(told)]
    better = run.metrics_of(target)[metric].better
    strong = [row for row, line in enumerate(told) if line["cell"] == run.cell]
    label = f"{metric} of {target} by cell, {better} is better, row set {of}"
    return Chart(
        forest(f"{metric} ({better} is better)", names, marks, strong=strong), label, legend(["registered", "baseline", "other"])
    )


def _series(run: Run, cell: str) -> int:
    return ["registered", "baseline", ""].index(run.role(cell))


def _with_role(run: Run, cell: str) -> str:
    return f"{cell} ({run.role(cell)})" if run.role(cell) else cell


def _figures_table(run: Run, target: str, overall: pl.DataFrame) -> Table:
    metrics = [name for name in run.metrics_of(target) if overall.filter(metric=name)["figure"].is_not_null().any()]
    rows, roles = [], []
    for (cell, of), part in overall.partition_by("cell", "row_set", as_dict=True, maintain_order=True).items():
        told = {line["metric"]: interval(line["figure"], line["low"], line["high"]) for line in part.to_dicts()}
        last = {"rows": part["rows"][0], "groups": part["groups"][0], "row set": of}
        rows.append({"cell": cell, "role": run.role(str(cell)), **{name: told.get(name) for name in metrics}, **last})
        roles.append(run.role(str(cell)))
    return table(f"{target}: every cell, out of fold", rows, roles=roles)


def calibration(run: Run, target: str) -> Part:
    """Mean truth by mean prediction of the registered cell, and faintly of the cells below it."""
    points = {cell: _points(run, target, cell) for cell in run.below(target)}
    main = points.pop(run.cell, [])
    if not main:
        return Part("Reliability", (f"Not applicable: {_why_no_bins(run, target)}.",))
    others = {cell: found for cell, found in points.items() if found}
    named = (*legend([run.cell]), *((FAINT_LEGEND,) if others else ()), ("┄", "#222222", "prediction = truth"))
    chart = Chart(reliability(main, others), f"Mean truth by mean prediction of {target}, cell {run.cell}, ten bins", named)
    rows = [{"mean prediction": point["predicted"], "mean truth": point["observed"]} for point in main]
    return Part("Reliability", (), (chart,), (table(f"{target}, cell {run.cell}: ten bins of equal count", rows, "Its numbers"),))


def _points(run: Run, target: str, cell: str) -> list[dict[str, float]]:
    return run.calibration.filter(target=target, cell=cell).select("predicted", "observed").to_dicts()


def _why_no_bins(run: Run, target: str) -> str:
    kind = run.targets[target].kind
    return (
        "the registered cell does not predict this target" if kind == "scalar" else f"bins are told of scalars, this is a {kind}"
    )


def coverage(run: Run, target: str) -> Iterator[Part]:
    """Coverage of the intervals of each cell that has any, overall and by slice, as the gate `model` judged it."""
    for judged in run.models:
        if judged.target == target:
            by_place = {(line["slice"], line["value"]): line for line in _covered_lines(judged)}
            if by_place:
                yield _coverage(target, judged.cell, judged.seed, [by_place[place] for place in run.in_order(by_place)])


def _covered_lines(judged: Judged) -> Iterator[Mapping[str, Any]]:
    figures = {check["type"]: check["figures"] for check in judged.verdict["checks"]}
    if overall := figures.get("expect_intervals_to_cover"):
        yield {"slice": "", "value": "", **overall}
    yield from figures.get("expect_intervals_to_cover_slices", {}).get("slices", [])


def _coverage(target: str, cell: str, seed: int, told: Sequence[Mapping[str, Any]]) -> Part:
    cell = f"{cell}, seed {seed}" if seed else cell
    names = [slice_name(line["slice"], line["value"]) for line in told]
    marks = [Mark(row, line["coverage"], line["low"], line["high"], red=not line["within"]) for row, line in enumerate(told)]
    label = f"Coverage of the intervals of {target}, cell {cell}, by slice, with the bounds in which it should lie"
    named = (
        ("●", "#0072b2", "coverage within its bounds"),
        ("✖", "#d55e00", "outside"),
        ("▬", "#b9d9ec", "where chance would put it"),
    )
    rows = [
        {
            "slice": name,
            "rows": line["rows"],
            "level": line["level"],
            "coverage": line["coverage"],
            "bounds": f"{line['low']:.4f} to {line['high']:.4f}",
            "if rows were independent": f"{line['plain_low']:.4f} to {line['plain_high']:.4f}",
            "design effect": line["design_effect"],
            "within": "yes" if line["within"] else "no",
        }
        for name, line in zip(names, told, strict=True)
    ]
    chart = Chart(bands("share of truths inside the interval", names, marks), label, named)
    note = (
        "The bounds are wider than those of independent rows by the design effect of the groups; of slices, by their number too."
    )
    return Part(f"Interval coverage: {cell}", (note,), (chart,), (table(f"{target}: coverage by slice", rows, "Its numbers"),))


def errors_by_slice(run: Run, target: str) -> Part:
    """The first metric by slice of the registered cell beside its baselines, and how many rows each slice has."""
    metric = run.first_metric(target)
    shown = [cell for cell in dict.fromkeys([run.cell, *run.baselines(target)]) if cell in run.cells(target)]
    told = run.of(target, metric=metric).filter(pl.col("cell").is_in(shown)).to_dicts()
    places = run.in_order((line["slice"], line["value"]) for line in told)
    if len(places) < 2:
        return Part("Error by slice", ("Not applicable: no declared slice is in these rows.",))
    step = SPREAD * (len(shown) + 1)
    marks = [_placed(line, places, shown, step) for line in told]
    better = run.metrics_of(target)[metric].better
    label = f"{metric} of {target} by slice: {', '.join(shown)}"
    chart = forest(f"{metric} ({better} is better)", [slice_name(*place) for place in places], marks, step=max(step, STEP))
    tables = (_by_slice(target, metric, places, told, shown), _slice_sizes(run, target))
    return Part("Error by slice", (), (Chart(chart, label, legend(shown)),), tables)


def _placed(line: Mapping[str, Any], places: list[tuple[str, str]], shown: list[str], step: int) -> Mark:
    place = shown.index(line["cell"])
    aside = (place - (len(shown) - 1) / 2) * SPREAD / max(step, STEP)
    row = places.index((line["slice"], line["value"])) + aside
    return Mark(row, line["figure"], line["low"], line["high"], place)


def _by_slice(
    target: str, metric: str, places: Sequence[tuple[str, str]], told: Sequence[Mapping[str, Any]], shown: Sequence[str]
) -> Table:
    rows: dict[tuple[str, str], dict[str, Any]] = {
        place: {"slice": slice_name(*place), **dict.fromkeys(shown)} for place in places
    }
    for line in told:
        rows[line["slice"], line["value"]][line["cell"]] = interval(line["figure"], line["low"], line["high"])
    return table(f"{target}: {metric} by slice", rows.values(), "Its numbers")


def _slice_sizes(run: Run, target: str) -> Table:
    rows = [
        {
            "slice": slice_name(told["slice"], told["value"]),
            "rows": told["rows"],
            "groups": told["groups"],
            "share of rows": f"{told['share']:.1%}",
            "interval": "yes" if told["interval"] else f"no, fewer than {run.params.evaluate.intervals.min_groups} groups",
        }
        for told in _covered(run, target)
    ]
    return table(f"{target}: what the slices cover", rows, "Rows and groups of the slices")


def _covered(run: Run, target: str) -> list[dict[str, Any]]:
    """What the slices of a target cover, in the order in which they are declared."""
    told = [line for line in run.evaluation["slices"] if line["target"] == target]
    order = run.in_order((line["slice"], line["value"]) for line in told)
    return sorted(told, key=lambda line: order.index((line["slice"], line["value"])))


def importance(run: Run, target: str) -> Part:
    """The largest shares of the registered cell and of the cells below it that can say so."""
    charts, means = [], run.importance.filter(target=target).group_by("cell", "column", maintain_order=True)
    shares = means.agg(pl.col("share").sum() / pl.col("seed").n_unique())
    for cell in run.below(target):
        top = shares.filter(cell=cell).sort("share", "column", descending=[True, False]).head(FEATURES_SHOWN)
        if not top.is_empty():
            drawn = bars(f"share in {cell}", top["column"].to_list(), top["share"].to_list())
            charts.append(Chart(drawn, f"What {cell} rests on for {target}: share of each feature"))
    if not charts:
        return Part("Feature importance", ("Not applicable: no model at or below the registered cell tells what it rests on.",))
    note = (
        f"The first {FEATURES_SHOWN} of each model. Trees: share of the gain; linear models: share of the absolute coefficients "
        "on standardised features. It says what a model uses, not what causes the target."
    )
    return Part("Feature importance", (note,), tuple(charts))


def weights(run: Run, target: str) -> Iterator[Part]:
    """Per blend the mean weight of each member by slice beside the member's error there; nothing where there is no blend."""
    for cell in blends(run, target):
        yield _blend(run, target, cell, weighed(run, target, cell))


def _blend(run: Run, target: str, cell: str, told: Sequence[Weighed]) -> Part:
    members, metric = list(run.members(target, cell)), run.first_metric(target)
    names = [slice_name(line.column, line.value) for line in told]
    kinds = {f"mean weight in {cell}": "weights", f"{metric} of the member alone": "errors"}
    charts = [
        Chart(forest(title, names, _moves(told, kind), width=300), f"{title} by slice, {target}", legend(members))
        for title, kind in kinds.items()
    ]
    rows = [
        {
            "slice": name,
            "rows": line.rows,
            **{member: f"{line.weights[place]:.3f} · {text(line.errors[place])}" for place, member in enumerate(members)},
        }
        for name, line in zip(names, told, strict=True)
    ]
    note = (
        "Where weights follow the error, the weight of a member (first chart) rises in the slices in which its error (second "
        "chart) falls beside that of the others. Members whose predictions are alike can trade weight freely."
    )
    listed = table(f"{target}, {cell}: mean weight · {metric} of the member in the same slice", rows, "Its numbers")
    return Part(f"Weights of {cell}", (note,), tuple(charts), (listed,))


def _moves(told: Sequence[Weighed], kind: str) -> Iterator[Mark]:
    for row, line in enumerate(told):
        for place, value in enumerate(getattr(line, kind)):
            yield Mark(row, value, series=place, line=f"{place}/{line.column}" if line.column else "")


def provenance(run: Run) -> Part:
    """Digests of what the figures rest on."""
    rows = [{"what": "signature of the features", "digest": run.joined["signature_digest"], "rows": run.joined["rows"]}]
    rows += [{"what": f"encoder {name}", "digest": digest, "rows": None} for name, digest in run.joined["encoders"].items()]
    sets = run.figures.filter(slice="").select("target", "row_set", "rows").unique(maintain_order=True)
    rows += [{"what": f"row set of {target}", "digest": of, "rows": count} for target, of, count in sets.iter_rows()]
    mine = [told for told in run.trained["cells"] if told["cell"] == run.cell]
    rows += [
        {
            "what": f"rows that the final {run.cell} of {told['target']} was fitted on, seed {told['seed']}",
            "digest": told["fitted_on"],
            "rows": None,
        }
        for told in mine
    ]
    return Part("Provenance", (), (), (table("Digests", rows),))
