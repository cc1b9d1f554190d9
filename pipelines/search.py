"""search: the nearest of a gallery in the online store, to texts, to vectors of texts, or to a row of the project."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.features import Features, features_of_new_rows
from pipelines.gallery import ByCorrection, ByCosine, Gallery, gallery_of, searched
from pipelines.materialize import online_store
from pipelines.predict import bundle_of, demand_readable, predictions, with_texts
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Workload
from watertight.core.rows import typed_rows
from watertight.core.tables import read_table
from watertight.registry.bundle import Bundle

Answer = dict[str, Any]
"""``query``; ``found``: rank, the gallery's key, ``cosine`` and what the view shows, nearest first. Of a row ``own``, too.

Where the bundle corrects for hubs: ``correction``, what is declared, and beside each cosine ``corrected``, which ranks them.
"""


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
            next_step=f"--vector FILE.npy, embedded as the source was, or --row ROW_ID{_such_as(work)}",
        )
    empty = [f"query {place}" for place, text in enumerate(texts, 1) if not text.strip()]
    if empty:
        raise Misuse("the text is empty", workload=work.name, rows=empty, expected="words to search by")
    rows = _asked(work, {_text_column(work): list(texts)}, len(texts))
    demand_readable(work, rows)
    return _answers(Features(work), rows, list(texts), top)


def lines_of(place: Path) -> list[str]:
    """The texts of a file, one a line, without the blank lines that end it.

    Raises Misuse where it is not there or no text, where it has no line, and where a blank one stands before others.
    """
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{place.name} cannot be read: {error}", expected="a file of UTF-8 text, a query on each line") from error
    while lines and not lines[-1].strip():
        lines.pop()
    blank = [f"line {number}" for number, line in enumerate(lines, 1) if not line.strip()]
    if blank or not lines:
        told = f"{place.name} has {len(blank)} blank line(s) among its queries" if blank else f"{place.name} holds no query"
        raise Misuse(told, rows=blank, expected="a query on each line", next_step="take these lines out" if blank else None)
    return lines


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
        told = f"a row_id of the checked rows{_such_as(work)}"
        raise Misuse(f"no row is called {row_id!r}", workload=work.name, expected=told)
    features = Features(work)
    gallery = gallery_of(features)
    bundle = bundle_of(features, rows)
    vector = _vectors(features, bundle, features.joined(rows), rows, gallery)[0]
    with features.store(online_store(features)) as store:
        there = searched(features, store, gallery, bundle)
        found, own = _found(there, vector, top), there.own(vector, rows[gallery.key][0])
    split = read_table(work.data("split", "split.parquet")).filter(row_id=row_id)["split"]
    return [{"query": _told(work, rows), **there.told, "found": found, "own": own and {**own, "split": split[0]}}]


def as_text(answers: Sequence[Answer]) -> Answer:
    """The answers for a terminal: what was found as a table, below each query by its number."""
    named = {f"{place} {answer['query']}": answer for place, answer in enumerate(answers, 1)}
    return {
        name: {key: _in_a_line(told) if key == "correction" else told for key, told in answer.items() if key != "query"}
        for name, answer in named.items()
    }


def _in_a_line(told: Answer) -> str:
    return ", ".join(f"{name} {value}" for name, value in told.items())


def _answers(features: Features, rows: pl.DataFrame, queries: Sequence[str], top: int) -> list[Answer]:
    gallery, bundle = gallery_of(features), bundle_of(features, rows)
    vectors = _vectors(features, bundle, features_of_new_rows(features, rows), rows, gallery)
    with features.store(online_store(features)) as store:
        there = searched(features, store, gallery, bundle)
        return [
            {"query": query, **there.told, "found": _found(there, vector, top)}
            for query, vector in zip(queries, vectors, strict=True)
        ]


def _vectors(features: Features, bundle: Bundle, joined: pl.DataFrame, rows: pl.DataFrame, gallery: Gallery) -> list[list[float]]:
    """What the bundle makes of each row, in the space of the gallery."""
    told = predictions(bundle, with_texts(joined, rows, features.work))
    column = f"{gallery.target}_vector"
    if column not in told.columns:
        raise Misuse(
            f"the bundle does not predict {gallery.target!r}", workload=features.work.name, next_step="register a cell that does"
        )
    return told[column].to_list()


def _found(there: ByCosine | ByCorrection, vector: list[float], top: int) -> list[dict[str, Any]]:
    lines = there.first(vector, top)
    if not lines:
        raise Refusal(
            f"nothing is in the view {there.gallery.view!r}",
            column=there.gallery.target,
            expected="at least one vector in the online store",
            next_step="wait for a labelled row, then dvc repro",
        )
    return [{"rank": place, **line} for place, line in enumerate(lines, 1)]


def _asked(work: Workload, columns: dict[str, Any], count: int) -> pl.DataFrame:
    """Typed, unlabelled rows, asked now, each of things seen for the first time."""
    contract = work.contract
    names = [f"query {place}" for place in range(1, count + 1)]
    nothing = dict.fromkeys((*contract.columns, *contract.text))
    keys = dict.fromkeys(contract.keys, names)
    table = pl.DataFrame({"row_id": names, "asked_at": [datetime.now(UTC)] * count, **keys, **columns})
    rest = [pl.lit(None).alias(name) for name in nothing if name not in columns]
    return typed_rows(table.with_columns(rest), contract, "asked")


def _such_as(work: Workload) -> str:
    """A row_id to search by, where there is one already."""
    place = work.data("checked", "rows.parquet")
    return f", such as --row {read_table(place, ['row_id'])['row_id'][0]}" if place.is_file() else ""


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
