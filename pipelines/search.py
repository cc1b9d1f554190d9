"""search: the nearest of a gallery in the online store, to texts, to vectors of texts, or to a row of the project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from feast import FeatureStore

from pipelines.features import Features, features_of_new_rows
from pipelines.materialize import contents, online_store
from pipelines.predict import bundle_of, demand_readable, predictions, with_texts
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Workload
from watertight.core.rows import typed_rows
from watertight.core.tables import read_table
from watertight.core.view_spec import SOURCE_AT, ViewSpec
from watertight.stores.online import Near, nearest

Answer = dict[str, Any]
"""``query``; ``found``: rank, the gallery's key, ``cosine`` and what the view shows, nearest first. Of a row ``own``, too."""


@dataclass(frozen=True)
class Gallery:
    """The view of a target's vectors, and the features that it shows beside them."""

    view: str
    spec: ViewSpec
    shown: tuple[str, ...]

    @property
    def target(self) -> str:
        """What a model predicts in order to search here."""
        return self.spec.labels[0]


def search_texts(work: Workload, texts: Sequence[str], top: int) -> list[Answer]:
    """The ``top`` nearest to what the bundle makes of each text, as of now.

    Raises Misuse for an empty text, and where the model reads vectors that were embedded elsewhere: no text of here is
    in their space. Raises Refusal where a check on rows refuses a text.
    """
    elsewhere = _elsewhere(work)
    if elsewhere:
        raise Misuse(
            f"this model reads vectors embedded elsewhere: {elsewhere}, of {work.contract.dimensions[elsewhere]} numbers",
            workload=work.name,
            expected="a query from the same space, which the encoder of this project does not know",
            next_step="--vector FILE.npy, embedded as the source was, or --row ROW_ID",
        )
    empty = [f"query {place}" for place, text in enumerate(texts, 1) if not text.strip()]
    if empty:
        raise Misuse("the text is empty", workload=work.name, rows=empty, expected="words to search by")
    rows = _asked(work, {_text_column(work): list(texts)}, len(texts))
    demand_readable(work, rows)
    return _answers(Features(work), rows, list(texts), top)


def lines_of(place: Path) -> list[str]:
    """The texts of a file, one a line; raises Misuse where it is not there or no text."""
    try:
        return place.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{place.name} cannot be read: {error}", expected="a file of UTF-8 text, a query on each line") from error


def search_vectors(work: Workload, place: Path, top: int) -> list[Answer]:
    """The ``top`` nearest to each vector in a .npy file, (d,) or (n, d), embedded as the source's were."""
    elsewhere = _elsewhere(work)
    if not elsewhere:
        raise Misuse("this model reads texts, and no vectors embedded elsewhere", workload=work.name, next_step="ask by a text")
    vectors = np.atleast_2d(_loaded(place))
    rows = _asked(work, {elsewhere: vectors.astype(np.float32).tolist()}, len(vectors))
    return _answers(Features(work), rows, rows["row_id"].to_list(), top)


def search_row(work: Workload, row_id: str, top: int) -> list[Answer]:
    """The ``top`` nearest to a row of the project as of when it was asked, and the rank of its own among all.

    ``own``: the key, its ``rank``, as in ``watertight.core.ranks``, its ``cosine``, ``among`` how many, and the row's ``split``:
    on a row of ``train`` the model was fitted. Null where nothing is known of the row's own yet.
    """
    rows = read_table(work.data("checked", "rows.parquet")).filter(row_id=row_id)
    if rows.is_empty():
        raise Misuse(f"no row is called {row_id!r}", workload=work.name, expected="a row_id of the checked rows")
    features = Features(work)
    gallery = gallery_of(features)
    vector = _vectors(features, features.joined(rows), rows, gallery)[0]
    every = contents(features)["views"][gallery.view]["entities"]
    with features.store(online_store(features)) as store:
        found = _found(store, gallery, vector, top)
        own = _own(nearest(store, gallery.view, [SOURCE_AT], vector, every), gallery, rows)
    split = read_table(work.data("split", "split.parquet")).filter(row_id=row_id)["split"]
    return [{"query": _told(work, rows), "found": found, "own": own and {**own, "split": split[0]}}]


def gallery_of(features: Features) -> Gallery:
    """The view to search: that of the first trained target that has one; raises Misuse where none has."""
    specs = {spec.labels[0]: name for name, spec in features.specs.items() if spec.derived_from == "target"}
    for target in features.work.params.train.targets:
        if target in specs:
            name = specs[target]
            fields = [field.name for field in features.definitions.views[name].features if not field.vector_index]
            return Gallery(name, features.specs[name], tuple(field for field in fields if field != SOURCE_AT))
    raise Misuse(
        "no view of this workload can be searched",
        workload=features.work.name,
        expected=f"a gallery_view of a vector target in feature_repo/{features.work.name}.py",
        next_step="declare one, then dvc repro",
    )


def as_text(answers: Sequence[Answer]) -> Answer:
    """The answers for a terminal: what was found as a table, below each query by its number."""
    named = {f"{place} {answer['query']}": answer for place, answer in enumerate(answers, 1)}
    return {name: {key: told for key, told in answer.items() if key != "query"} for name, answer in named.items()}


def _answers(features: Features, rows: pl.DataFrame, queries: Sequence[str], top: int) -> list[Answer]:
    gallery = gallery_of(features)
    vectors = _vectors(features, features_of_new_rows(features, rows), rows, gallery)
    with features.store(online_store(features)) as store:
        return [
            {"query": query, "found": _found(store, gallery, vector, top)} for query, vector in zip(queries, vectors, strict=True)
        ]


def _vectors(features: Features, joined: pl.DataFrame, rows: pl.DataFrame, gallery: Gallery) -> list[list[float]]:
    """What the bundle makes of each row, in the space of the gallery."""
    told = predictions(bundle_of(features, rows), with_texts(joined, rows, features.work))
    column = f"{gallery.target}_vector"
    if column not in told.columns:
        raise Misuse(
            f"the bundle does not predict {gallery.target!r}", workload=features.work.name, next_step="register a cell that does"
        )
    return told[column].to_list()


def _found(store: FeatureStore, gallery: Gallery, vector: list[float], top: int) -> list[dict[str, Any]]:
    near = nearest(store, gallery.view, [SOURCE_AT, *gallery.shown], vector, top)
    if not near:
        raise Refusal(
            f"nothing is in the view {gallery.view!r}",
            column=gallery.target,
            expected="at least one vector in the online store",
            next_step="wait for a labelled row, then dvc repro",
        )
    return [
        {
            "rank": place,
            gallery.spec.join_key: one.key[gallery.spec.join_key],
            "cosine": one.cosine,
            **{name: one.features[name] for name in gallery.shown},
        }
        for place, one in enumerate(near, 1)
    ]


def _own(near: Sequence[Near], gallery: Gallery, row: pl.DataFrame) -> dict[str, Any] | None:
    key = row[gallery.spec.join_key][0]
    cosines = {one.key[gallery.spec.join_key]: one.cosine for one in near}
    if key not in cosines:
        return None
    nearer = sum(cosine > cosines[key] for cosine in cosines.values())
    as_near = sum(cosine == cosines[key] for cosine in cosines.values())
    rank = 1 + nearer + (as_near - 1) / 2
    return {gallery.spec.join_key: key, "rank": rank, "cosine": cosines[key], "among": len(cosines)}


def _asked(work: Workload, columns: dict[str, Any], count: int) -> pl.DataFrame:
    """Typed, unlabelled rows, asked now, each of things seen for the first time."""
    contract = work.contract
    names = [f"query {place}" for place in range(1, count + 1)]
    nothing = dict.fromkeys((*contract.columns, *contract.text))
    keys = dict.fromkeys(contract.keys, names)
    table = pl.DataFrame({"row_id": names, "asked_at": [datetime.now(UTC)] * count, **keys, **columns})
    rest = [pl.lit(None).alias(name) for name in nothing if name not in columns]
    return typed_rows(table.with_columns(rest), contract, "asked")


def _text_column(work: Workload) -> str:
    texts = work.contract.text
    if len(texts) != 1:
        raise Misuse(
            f"a row of this workload has {len(texts)} texts, and a search is by one",
            workload=work.name,
            expected="a workload whose rows have one text",
            next_step="--row ROW_ID",
        )
    return texts[0]


def _elsewhere(work: Workload) -> str:
    """The column of vectors that came with the rows; empty where texts are embedded here."""
    return next((name for name, dimension in work.contract.dimensions.items() if dimension), "")


def _loaded(place: Path) -> np.ndarray:
    try:
        found = np.load(place, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise Misuse(f"{place.name} cannot be read: {error}", expected="an array of numbers, as numpy.save writes it") from error
    if not isinstance(found, np.ndarray) or found.ndim not in (1, 2) or found.dtype.kind not in "fiu":
        raise Misuse(f"{place.name} holds no vectors", expected="numbers, (d,) or (n, d), as numpy.save writes them")
    return found


def _told(work: Workload, rows: pl.DataFrame) -> str:
    """The row's texts, or where it has none its name."""
    texts = [rows[name][0] for name in work.contract.text]
    return " · ".join(text for text in texts if text) or rows["row_id"][0]
