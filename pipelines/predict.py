"""predict: the bundle's models on rows that are not part of the project, each as of its own moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.check import judge_rows, set_aside
from pipelines.features import Features, features_of_new_rows
from pipelines.materialize import online_store
from pipelines.source import rows_of_file
from pipelines.writers import WRITERS
from watertight.core.declare import nearest
from watertight.core.digests import json_digest
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Workload
from watertight.core.rows import typed_rows
from watertight.core.time import microseconds, to_utc
from watertight.core.versions import merged
from watertight.core.view_spec import REQUEST_TIME, evidence_column
from watertight.inference.answers import fitted, mean_of_seeds
from watertight.registry.bundle import Bundle, open_bundle
from watertight.stores.definitions import described, projections
from watertight.stores.online import online_features


def predict_file(work: Workload, source: Path, to: Path) -> pl.DataFrame:
    """Write :func:`answered` to ``to``, which ends in .csv (where a list stands as text), .parquet or .jsonl."""
    if to.suffix not in WRITERS:
        raise Misuse(f"{to.name}: unknown kind of file", expected=", ".join(WRITERS))
    table = answered(work, source)
    _write(table, to)
    return table


def answered(work: Workload, source: Path) -> pl.DataFrame:
    """Predict every row of a file in the source's own format, as of its own time, in the file's order.

    Labels are not needed, and not read where the source says how a file without them looks: such rows go by their own ids.
    Rows that a row-level check refuses are answered with nulls and the reason in ``refused``; none is lost. Raises Refusal
    where no row can be answered.
    """
    asked = typed_rows(rows_of_file(work, source, unlabelled=True), work.contract, source.stem)
    good, aside = _answerable(work, merged([asked], work.contract).rows, source)
    features = Features(work)
    told = predictions(bundle_of(features, good), with_texts(features_of_new_rows(features, good), good, work))
    table = asked.select("row_id", "asked_at").join(told, on="row_id", how="left", maintain_order="left")
    return table.join(aside, on="row_id", how="left", maintain_order="left")


def _answerable(work: Workload, rows: pl.DataFrame, source: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that pass every check, and row_id and ``refused`` of the others."""
    verdict = judge_rows(work, rows)
    verdict.demand()
    aside = set_aside(verdict, rows).select("row_id", refused="reason")
    good = rows.filter(~pl.col("row_id").is_in(aside["row_id"].to_list()))
    if good.is_empty():
        raise Refusal(
            f"no row of {source.name} can be answered: {'; '.join(aside['refused'].unique(maintain_order=True))}",
            rows=aside["row_id"].to_list(),
            expected="at least one row that passes the checks",
        )
    return good, aside


def predict_one(work: Workload, values: Mapping[str, str], at: str | None) -> dict[str, Any]:
    """Predict one row from its texts and keys, by the bundle and the online store.

    ``values`` gives texts and entity keys by column name (``_id`` may be left off a key); ``at`` is ISO 8601, by default
    now. The online store knows the newest state alone, so a moment before that state is answered by the join. Raises
    Refusal, with the reason, where a check on rows refuses the row.
    """
    row = _row(work, values, at)
    demand_readable(work, row)
    features = Features(work)
    bundle = bundle_of(features, row)
    joined, path = features_online(features, row), "online"
    if joined is None:
        joined, path = features_of_new_rows(features, row), "history"
    answer = predictions(bundle, with_texts(joined, row, work)).drop("row_id").row(0, named=True)
    return {"at": row["asked_at"][0].isoformat(), "features_from": path, "predictions": answer}


def demand_readable(work: Workload, rows: pl.DataFrame) -> None:
    """Raise Refusal where a check would set a row aside. Columns that nobody asks for are not judged: they are null."""
    judged = rows.drop(work.contract.columns)
    aside = set_aside(judge_rows(work, judged), judged)
    if not aside.is_empty():
        raise Refusal(
            f"the row cannot be answered: {aside['reason'][0]}",
            workload=work.name,
            rows=aside["row_id"].to_list() if rows.height > 1 else (),
            expected="a row that passes the checks",
            next_step="mend the text, and ask again",
        )


def bundle_of(features: Features, rows: pl.DataFrame | None = None) -> Bundle:
    """The registered bundle; raises Refusal where its feature definitions or its encoder are not today's.

    ``rows``: those that are to be answered, if any are: whether they bring their vectors has to be as it was in the training set.
    """
    bundle = open_bundle(features.work.artifacts("bundle"))
    today = described(features.definitions, features.service)
    if json_digest(bundle.manifest.signature) != json_digest(today):
        raise Refusal(
            "the bundle was fitted on other feature definitions than those of feature_repo/",
            workload=features.work.name,
            expected="the signature in the bundle's manifest",
            next_step="dvc repro, or go back to the definitions of the bundle",
        )
    _demand_same_encoder(features, bundle, rows)
    return bundle


def _demand_same_encoder(features: Features, bundle: Bundle, rows: pl.DataFrame | None) -> None:
    manifest = bundle.manifest
    pinned = {manifest.encoder: manifest.encoder_fingerprint} if manifest.encoder_fingerprint else {}
    today = features.encoders_of_training() if rows is None else features.encoders(rows)
    if pinned != today:
        raise Refusal(
            f"the bundle was fitted on vectors of another encoder than today's {_told(today)}",
            workload=features.work.name,
            expected=f"{_told(pinned)}, as in the bundle's manifest",
            next_step="dvc repro, or name (and install) the encoder of the bundle in params.yaml",
        )


def _told(encoders: Mapping[str, str]) -> str:
    return ", ".join(f"{name!r} (sha256 {digest[:12]})" for name, digest in encoders.items()) or "no pinned encoder"


def predictions(bundle: Bundle, joined: pl.DataFrame) -> pl.DataFrame:
    """row_id and, per target, the named outputs of the bundle's own cell; models of several seeds are averaged.

    ``joined`` has the features and, where a model reads them, the rows' texts.
    """
    means = mean_of_seeds(fitted(bundle.places()), bundle.manifest.cell, joined)
    return joined.select("row_id").with_columns(means)


def with_texts(joined: pl.DataFrame, rows: pl.DataFrame, work: Workload) -> pl.DataFrame:
    """The features with the texts and keys that models may read beside them."""
    beside = [name for name in (*work.contract.text, *work.contract.keys) if name not in joined.columns]
    return joined.join(rows.select("row_id", *beside), on="row_id", how="left", maintain_order="left")


def features_online(features: Features, row: pl.DataFrame) -> pl.DataFrame | None:
    """The service's features of one row: its content computed here, its history looked up online.

    None where the online store cannot tell them: its state is newer than the row's moment and has seen the row's future,
    or an on-demand view reads the row's content, which is not in the store.
    """
    if _computed_from_content(features):
        return None
    content = _content(features, row)
    keys = {name: row[name][0] for name in features.join_keys}
    asked = {**keys, REQUEST_TIME: row.select(microseconds("asked_at")).item()}
    with features.store(online_store(features)) as store:
        found = online_features(store, features.service, [asked])
    late = [
        view.name
        for view in features.served("labels")
        if (known := found[evidence_column(view.name)][0]) is not None and known >= asked[REQUEST_TIME]
    ]
    if late:
        return None
    values = {**found, **content}
    return pl.DataFrame({"row_id": row["row_id"], **{name: values[name] for name in features.columns}}, strict=False)


def _computed_from_content(features: Features) -> bool:
    """Whether the service has an on-demand view over a content view; Feast would compute it from nulls online."""
    content = {name for name, spec in features.specs.items() if spec.derived_from == "content"}
    served = [features.definitions.on_demand.get(view["view"]) for view in projections(features.service).values()]
    sources = [source.name for view in served if view for source in view.source_feature_view_projections.values()]
    return not content.isdisjoint(sources)


def _content(features: Features, row: pl.DataFrame) -> dict[str, list[Any]]:
    """The columns of the service's content views, from the row's own text; null where the row has no such key."""
    kitchen, found = features.kitchen(), {}
    for view in features.served("content"):
        table = features.fill(view.view, row, kitchen)
        mine = table.filter(pl.col(view.spec.join_key) == row[view.key][0])
        for column in features.columns:
            name, _, feature = column.partition("__")
            if name == view.name:
                found[column] = mine[feature].to_list() or [None]
    return found


def _row(work: Workload, values: Mapping[str, str], at: str | None) -> pl.DataFrame:
    """One typed, unlabelled row; keys that are not given stand for things seen for the first time."""
    contract = work.contract
    known = {name.removesuffix("_id"): name for name in contract.keys} | {name: name for name in (*contract.keys, *contract.text)}
    strange = [name for name in values if name not in known]
    if strange:
        raise Misuse(f"no text or key is called {strange[0]!r}; {nearest(strange[0], known)}", workload=work.name)
    given = {known[name]: value for name, value in values.items()}
    missing = [name for name in contract.text if name not in given]
    if missing:
        raise Misuse(f"a prediction needs --{missing[0]}", workload=work.name)
    vectors = [name for name, dimension in contract.dimensions.items() if dimension]
    if vectors:
        raise Misuse(
            f"a prediction needs {vectors[0]}, a list of {contract.dimensions[vectors[0]]} numbers, in each row",
            expected="a file of rows",
            next_step=f"watertight predict {work.name} --from FILE --to FILE",
        )
    asked = to_utc(pl.Series("asked_at", [at or datetime.now(UTC).isoformat()]), contract.zone)
    if asked[0] is None:
        raise Misuse(f"{at!r} is no time", expected="ISO 8601, such as 2025-05-03T09:30:00Z")
    fresh = {name: given.get(name, f"new {name}") for name in (*contract.keys, *contract.text)}
    extras = dict.fromkeys(contract.columns)
    return typed_rows(pl.DataFrame({"row_id": "new", **extras, **fresh, "asked_at": asked}), contract, "asked")


def _write(table: pl.DataFrame, to: Path) -> None:
    draft = to.with_name(f".{to.name}.draft")
    to.parent.mkdir(parents=True, exist_ok=True)
    WRITERS[to.suffix](_flat(table) if to.suffix == ".csv" else table, draft)
    draft.replace(to)


def _flat(table: pl.DataFrame) -> pl.DataFrame:
    """Lists as text, as in JSON: CSV has no lists."""
    lists = pl.selectors.list()
    return table.with_columns(pl.format("[{}]", lists.cast(pl.List(pl.String)).list.join(", ")))
