"""What each leak would have been worth: DVC experiments on one source, told and drawn in docs/leaks.md.

    python benchmarks/leaks.py --source semeval2026

Works in a clone of the committed project, so the workspace stays as it is. An experiment that breaks a rule waives the checks
that refuse it, by name. *Promised* is the out-of-fold figure of such a run. *Delivered* is what its final models do on
``test_groups`` when they are fed what production would have: the features of the honest run. These looks at the test sets are
recorded in ``models/`` like any other.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from experiments import ROOT, cloned, run, shown, table, write

from pipelines.looks import predicted, record
from pipelines.score import trained
from watertight.core.project import Project, Workload
from watertight.core.tables import read_table
from watertight.evaluation.figures import cases, figures, figures_table
from watertight.evaluation.intervals import apart

PAGE, PICTURES = ROOT / "docs" / "leaks.md", ROOT / "docs" / "leaks"
WORKLOAD, REGISTERED, METRICS = "perception", "calibrated", ("rmse", "composite")
TITLES = {"rmse": "RMSE (lower is better)", "composite": "composite r (higher is better)"}
HONEST = "honest"


@dataclass(frozen=True)
class Experiment:
    """One run: what it changes, which checks it must waive, and its name in the tables."""

    name: str
    about: str
    changes: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()

    def settings(self) -> Iterator[str]:
        yield from self.changes
        if self.waived:
            yield f"waive=[{','.join(self.waived)}]"


EXPERIMENTS = (
    Experiment(HONEST, "every rule kept"),
    Experiment(
        "own-label",
        "a label may be used at the instant it is known, not 1 µs later",
        ("featurize.label_delay_us=0",),
        ("expect_known_when_asked", "expect_history_to_match_rows"),
    ),
    Experiment(
        "ungrouped",
        "folds deal rows, so an author's other rows are trained on",
        ("split.folds_by=row",),
        ("expect_groups_in_one_fold", "expect_own_group_unseen", "expect_inputs_out_of_fold"),
    ),
    Experiment("no-embargo", "no gap of a week before `test_future`", ("split.test_future.gap_days=0",)),
)
VIEWS = {"text": "text only", "history": "history only", "all": "both", REGISTERED: "all models, blended and calibrated"}


def main() -> None:
    """Run the experiments, then write the tables and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="semeval2026")
    source = parser.parse_args().source
    with cloned() as clone:
        found = pl.concat(list(_experiments(clone, source)))
        told = _shown(clone)
    blocks = {
        "experiments": told,
        "views": _views(found),
        "leaks": _leaks(found),
        "embargo": _embargo(found),
        "coverage": _coverage(found),
    }
    write(PAGE, blocks)
    _draw(found)


def _experiments(clone: Path, source: str) -> Iterator[pl.DataFrame]:
    """The records of every experiment; the honest one comes first, since the others are fed its features."""
    for experiment in EXPERIMENTS:
        run(clone, experiment.name, WORKLOAD, _settings(source, experiment.settings()))
        work = Project(clone).workload(WORKLOAD)
        rows = read_table(work.data("training_set", "training_set.parquet"))
        told = read_table(work.artifacts("train", "predictions.parquet"))
        if experiment.name == HONEST:
            honest, promised = rows, told
            delivered = predicted(trained(work), _tests(rows))
        found = _records(work, experiment.name, rows, told, honest, promised, delivered)
        tests = found.filter(pl.col("part").str.starts_with("test_")).to_dicts()
        record(Project(ROOT), WORKLOAD, {"benchmark": "leaks", "source": source, "figures": tests})
        yield found
        for cell in VIEWS if experiment.name == HONEST else ():
            run(clone, f"views-{cell}", WORKLOAD, _settings(source, [f"register.cell={cell}"]))


def _settings(source: str, settings: Iterable[str]) -> list[str]:
    return [f"{WORKLOAD}.source.name={source}", *(f"++{WORKLOAD}.{setting}" for setting in settings)]


def _records(
    work: Workload,
    name: str,
    table: pl.DataFrame,
    told: pl.DataFrame,
    honest: pl.DataFrame,
    promised: pl.DataFrame,
    delivered: pl.DataFrame,
) -> pl.DataFrame:
    """Figures of every cell, out-of-fold as promised and on the test sets as delivered, and differences from the honest run."""
    declared, targets = work.params.evaluate.intervals, work.contract.targets
    rows = [record for case in cases(table, told, targets, {}) for record in figures(case, declared, "promised")]
    test = _tests(honest)
    answers = predicted(trained(work), test)
    for split in ("test_groups", "test_future"):
        part = test.filter(pl.col("split") == split)
        own = answers.join(part.select("row_id"), on="row_id", how="semi")
        rows += [record for case in cases(part, own, targets, {}) for record in figures(case, declared, split)]
    rows += list(_differences(work, "difference", table, told, promised))
    rows += list(_differences(work, "difference on test_future", test.filter(split="test_future"), answers, delivered))
    return figures_table(rows).select(pl.lit(name).alias("experiment"), pl.all())


def _tests(table: pl.DataFrame) -> pl.DataFrame:
    return table.filter(pl.col("split").is_in(["test_groups", "test_future"]) & ~pl.col("synthetic"))


def _differences(
    work: Workload, part: str, rows: pl.DataFrame, told: pl.DataFrame, honest: pl.DataFrame
) -> Iterator[dict[str, Any]]:
    """The experiment less the honest run, of the registered cell, where both predicted the same of ``rows``."""
    for (name,), mine in told.filter(cell=REGISTERED).partition_by("target", as_dict=True, maintain_order=True).items():
        other = honest.filter(cell=REGISTERED, target=name)
        own = rows.join(mine.select("row_id"), on="row_id", how="semi")
        if set(mine["row_id"]) == set(other["row_id"]):
            named = {"target": name, "cell": REGISTERED, "seed": 0, "part": part, "slice": "", "value": ""}
            for line in apart(own, mine, other, str(name), work.contract.targets[str(name)], work.params.evaluate.intervals):
                yield {**named, **line}


def _shown(clone: Path) -> str:
    """``dvc exp show`` as a table of the experiments and their headline figures."""
    keep = "|".join(f"{target}\\.(rmse|composite|coverage|row_set)" for target in ("valence", "arousal"))
    lines = shown(clone, WORKLOAD, keep)
    order = [*(experiment.name for experiment in EXPERIMENTS), *(f"views-{cell}" for cell in VIEWS)]
    return table([{"experiment": name, **lines[name]} for name in order if name in lines])


def _views(found: pl.DataFrame) -> str:
    honest = found.filter(experiment=HONEST, part="promised")
    return table(
        [{"what the models read": about, "cell": cell, **_cells(honest.filter(cell=cell))} for cell, about in VIEWS.items()]
    )


def _leaks(found: pl.DataFrame) -> str:
    rows = []
    for experiment in EXPERIMENTS[:3]:
        mine = found.filter(experiment=experiment.name, cell=REGISTERED)
        for target in ("valence", "arousal"):
            for metric in METRICS:
                one = {part: _figure(mine, part, target, metric) for part in ("promised", "test_groups", "difference")}
                told = {
                    "promised": one["promised"],
                    "worth": one["difference"] if experiment.name != HONEST else "",
                    "delivered": one["test_groups"],
                }
                rows.append({"run": experiment.name, "target": target, "metric": metric, **told})
    mean = found.filter(experiment=HONEST, cell="mean")
    for target in ("valence", "arousal"):
        told = {
            name: _figure(mine, part, target, "rmse")
            for name, part, mine in (("promised", "promised", mean), ("delivered", "test_groups", mean))
        }
        rows.append({"run": "the training mean", "target": target, "metric": "rmse", **told})
    return table(rows)


def _embargo(found: pl.DataFrame) -> str:
    honest, without = (found.filter(experiment=one.name, cell=REGISTERED) for one in (EXPERIMENTS[0], EXPERIMENTS[3]))
    lines = {
        HONEST: (honest, "test_future"),
        "no-embargo": (without, "test_future"),
        "no-embargo less honest": (without, "difference on test_future"),
    }
    pairs = [(target, metric) for target in ("valence", "arousal") for metric in METRICS]
    return table([{"run": run, **{f"{t} {m}": _figure(part, of, t, m) for t, m in pairs}} for run, (part, of) in lines.items()])


def _coverage(found: pl.DataFrame) -> str:
    rows = []
    for experiment in EXPERIMENTS[:3]:
        mine = found.filter(experiment=experiment.name, cell=REGISTERED)
        parts = {"promised": "promised", "test_groups": "delivered"}
        told = {
            f"{target}, {name}": _figure(mine, part, target, "coverage")
            for target in ("valence", "arousal")
            for part, name in parts.items()
        }
        rows.append({"run": experiment.name, **told})
    return table(rows)


def _cells(part: pl.DataFrame) -> dict[str, str]:
    return {
        f"{target} {metric}": _figure(part, "promised", target, metric) for target in ("valence", "arousal") for metric in METRICS
    }


def _figure(part: pl.DataFrame, of: str, target: str, metric: str) -> str:
    found = part.filter(part=of, target=target, metric=metric).to_dicts()
    if not found or found[0]["figure"] is None:
        return ""
    line = found[0]
    sign = "+" if of.startswith("difference") else ""
    interval = f" [{line['low']:{sign}.3f}, {line['high']:{sign}.3f}]" if line["low"] is not None else ""
    return f"{line['figure']:{sign}.3f}{interval}"


def _draw(found: pl.DataFrame) -> None:
    """Promised and delivered, per leak and target, with intervals."""
    import altair as alt

    parts = {"promised": "promised (out of fold)", "test_groups": "delivered (new authors, honest features)"}
    points = found.filter(
        pl.col("part").is_in(list(parts))
        & (pl.col("cell") == REGISTERED)
        & pl.col("experiment").is_in([e.name for e in EXPERIMENTS[:3]])
    ).with_columns(part=pl.col("part").replace(parts))
    for metric in METRICS:
        data = points.filter(metric=metric).select("experiment", "target", "part", "figure", "low", "high").to_pandas()
        order = [experiment.name for experiment in EXPERIMENTS[:3]]
        y = alt.Y("experiment:N", sort=order, title=None)
        colour = alt.Color(
            "part:N",
            title=None,
            scale=alt.Scale(range=["#d55e00", "#0072b2"], domain=list(parts.values())),
            legend=alt.Legend(orient="top", labelLimit=400),
        )
        shift = alt.YOffset("part:N", sort=list(parts.values()))
        base = alt.Chart(data).encode(y=y, yOffset=shift, color=colour)
        bars = base.mark_rule(strokeWidth=2).encode(
            x=alt.X("low:Q", title=TITLES[metric], scale=alt.Scale(zero=False)), x2="high:Q"
        )
        dots = base.mark_point(filled=True, size=70, opacity=1).encode(x="figure:Q", shape=alt.Shape("part:N", legend=None))
        chart = (
            (bars + dots)
            .properties(width=300, height=130)
            .facet(column=alt.Column("target:N", title=None, sort=["valence", "arousal"]))
        )
        PICTURES.mkdir(exist_ok=True)
        chart.resolve_scale(x="independent").save(str(PICTURES / f"{metric}.svg"))


if __name__ == "__main__":
    main()
