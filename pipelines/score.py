"""score: the registered bundle on the test sets. Every look is recorded, so that nobody tunes on them unseen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from pipelines.features import Features
from pipelines.predict import bundle_of, predictions
from watertight.core.digests import file_digest, json_digest
from watertight.core.errors import Refusal
from watertight.core.project import Workload
from watertight.core.tables import read_json, read_table, replacing, write_json
from watertight.core.witness import witness
from watertight.evaluation.metrics import OUTPUT, scores
from watertight.registry.bundle import MANIFEST, Bundle

TEST_SPLITS = ("test_groups", "test_future")


def score_test(work: Workload) -> list[dict[str, Any]]:
    """A row per target and test split: metrics, rows, groups, row set. The look is written to ``models/<workload>/looks/``.

    The same bundle on the same rows is one look, however often it is asked for. Raises Refusal where the workload has no
    test rows.
    """
    bundle = bundle_of(Features(work))
    table = read_table(work.data("training_set", "training_set.parquet"))
    _demand_same_training_rows(bundle, table)
    test = table.filter(pl.col("split").is_in(TEST_SPLITS) & ~pl.col("synthetic"))
    if test.is_empty():
        raise Refusal("there are no test rows to score", expected="a share for test_groups or test_future in params.yaml")
    told = list(_figures(work, test.join(predictions(bundle, test).rename(_predicted), on="row_id", maintain_order="left")))
    _record(work, {"bundle": file_digest(bundle.folder / MANIFEST), "figures": told})
    return told


def _demand_same_training_rows(bundle: Bundle, table: pl.DataFrame) -> None:
    """Raise Refusal where the bundle's models were fitted on other rows than today's training rows: on test rows, perhaps."""
    for model, _ in bundle.places():
        fitted = table.filter((pl.col("split") == "train") & pl.col(model.target).is_not_null())
        if witness(fitted).digest != model.fitted_on:
            raise Refusal(
                f"the model of {model.target!r} was fitted on other rows than today's training rows",
                expected=f"the witness {model.fitted_on} of the bundle's manifest",
                next_step="dvc repro, so that split and bundle are of one run",
            )


def _predicted(column: str) -> str:
    return column if column == "row_id" else f"predicted__{column}"


def _figures(work: Workload, rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    for name, target in work.contract.targets.items():
        output = OUTPUT[target.kind]
        column = _predicted(name if output == "mean" else f"{name}_{output}")
        if column in rows.columns:
            for split in TEST_SPLITS:
                part = rows.filter((pl.col("split") == split) & pl.col(name).is_not_null())
                if not part.is_empty():
                    yield {
                        "target": name,
                        "split": split,
                        **scores(part.with_columns(pl.col(column).alias(output)), name, target),
                    }


def _record(work: Workload, look: dict[str, Any]) -> None:
    place = work.project.root / "models" / work.name / "looks" / f"{json_digest(look)[:16]}.json"
    if place.is_file() and read_json(place) == look:
        return
    with replacing(place) as [draft]:
        write_json(look, draft)
