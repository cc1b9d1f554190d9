"""What the page tells of vector targets: what the out-of-fold predictions find among the truths of their fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from watertight.core.ensembles import averaged
from watertight.core.project import Workload
from watertight.core.ranks import Floats, Gallery, Places, gallery
from watertight.evaluation.retrieved import Retrieved, occurrences, retrieved_apart, skewness
from watertight.evaluation.row_sets import as_array
from watertight.page.blocks import Hit, Sheet
from watertight.page.sought import Hub, Sought

CELLS_DRAWN, HUBS_SHOWN = 7, 5
FIRST, HITS_SHOWN, OF_A_KIND = 10, 5, 3
LETTERS = 160


def sought_of_targets(work: Workload, rows: pl.DataFrame, predictions: pl.DataFrame) -> dict[str, Sought]:
    """By name each vector target that was predicted.

    Only cells that predicted the rows of the registered cell (of the first, where that did not predict the target) are told:
    the ranks of others are in another gallery.
    """
    vectors = [name for name, target in work.contract.targets.items() if target.kind == "vector"]
    parts = predictions.partition_by("target", as_dict=True, maintain_order=True)
    return {name: _sought(work, rows, name, parts[name,]) for name in vectors if (name,) in parts}


def _sought(work: Workload, rows: pl.DataFrame, target: str, predictions: pl.DataFrame) -> Sought:
    cells = predictions["cell"].unique(maintain_order=True).to_list()
    registered = work.params.register_.cell
    cell = registered if registered in cells else cells[0]
    folds = predictions.filter(cell=cell).select("row_id", assigned="fold").unique()
    own = rows.join(folds, on="row_id", how="inner", maintain_order="left")
    among, parts = gallery(as_array(own[target])), _folds(own["assigned"])
    same = [name for name in cells if set(predictions.filter(cell=name)["row_id"]) == set(own["row_id"])]
    size = min(len(np.unique(among.own[part])) for part in parts)
    every = {name: retrieved_apart(_vectors(own, predictions, name), among, parts, min(FIRST, size)) for name in same}
    first = every[cell]
    times = occurrences(first.places, len(among.vectors))
    named = _named(own, work.contract.text)
    return Sought(
        size=round(len(among.vectors) / len(parts)),
        cell=cell,
        ranks=_drawn({name: found.rank for name, found in every.items()}, [cell, *work.params.evaluate.baselines]),
        cells=len(every),
        own=first.own,
        other=first.other,
        k=first.places.shape[1],
        times=times,
        skew=skewness(times),
        hubs=_hubs(times, _of_gallery(named, among)),
        sheets=[_sheet(at, first, among, named) for at in picked(first.rank, named["row_id"].to_list())],
    )


def _vectors(rows: pl.DataFrame, predictions: pl.DataFrame, cell: str) -> Floats:
    """What a cell predicted for each of ``rows``, the mean of its seeds."""
    seeds = predictions.filter(cell=cell).partition_by("seed", maintain_order=True)
    aligned = (rows.select("row_id").join(seed, on="row_id", how="left", maintain_order="left") for seed in seeds)
    return averaged([{"vector": as_array(seed["vector"])} for seed in aligned])["vector"]


def _folds(assigned: pl.Series) -> list[Places]:
    """The places of the rows of each fold: what was predicted by one model, and chooses among these rows' vectors."""
    return [np.flatnonzero((assigned == fold).to_numpy()) for fold in assigned.unique().sort()]


def _drawn(every: Mapping[str, Floats], wanted: Sequence[str]) -> dict[str, Floats]:
    """The cells that are wanted, then the best others by mean reciprocal rank, as many as can be told apart."""
    best = sorted(every, key=lambda cell: -float((1 / every[cell]).mean()))
    names = list(dict.fromkeys([*(cell for cell in wanted if cell in every), *best]))
    return {cell: every[cell] for cell in names[:CELLS_DRAWN]}


def _named(rows: pl.DataFrame, texts: Sequence[str]) -> pl.DataFrame:
    """row_id, group_id and ``told``, the row's texts cut to what a card has room for."""
    there = [pl.col(name) for name in texts if name in rows.columns]
    joined = pl.concat_str(there, separator=" · ", ignore_nulls=True) if there else pl.lit("")
    cut = pl.when(joined.str.len_chars() > LETTERS).then(joined.str.head(LETTERS - 1) + "…").otherwise(joined)
    return rows.select("row_id", "group_id", told=cut)


def _of_gallery(named: pl.DataFrame, among: Gallery) -> pl.DataFrame:
    """The first row of each vector of the gallery, in the gallery's order."""
    _, first = np.unique(among.own, return_index=True)
    return named[first]


def _hubs(times: Places, items: pl.DataFrame) -> list[Hub]:
    most = np.argsort(-times, kind="stable")[:HUBS_SHOWN].tolist()
    return [Hub(items["group_id"][place], items["told"][place], int(times[place])) for place in most]


def picked(rank: Floats, names: Sequence[str]) -> list[int]:
    """The places of some queries: the first by rank, the middle ones of those that miss, and the last; of equal ones by name."""
    order = sorted(range(len(rank)), key=lambda place: (rank[place], names[place]))
    missed = [place for place in order if rank[place] > 1]
    start = max(0, (len(missed) - OF_A_KIND) // 2)
    return list(dict.fromkeys([*order[:OF_A_KIND], *missed[start : start + OF_A_KIND], *order[-OF_A_KIND:]]))


def _sheet(at: int, first: Retrieved, among: Gallery, named: pl.DataFrame) -> Sheet:
    items = _of_gallery(named, among)
    own, rank = int(among.own[at]), f"{first.rank[at]:,g}"
    shown = [
        (f"{place}", int(found), float(near))
        for place, (found, near) in enumerate(zip(first.places[at][:HITS_SHOWN], first.near[at][:HITS_SHOWN], strict=True), 1)
    ]
    if own not in [found for _, found, _ in shown]:
        shown.append((rank, own, float(first.own[at])))
    hits = [
        Hit(place, items["group_id"][found], items["told"][found], f"{near:.4f}", found == own) for place, found, near in shown
    ]
    row = named.row(at, named=True)
    note = f"row {row['row_id']}, own vector at rank {rank}"
    return Sheet(row["told"] or row["row_id"], note, tuple(hits))
