"""How near different pictures come, and how near a picture stays to itself: told in docs/pairs.md, for the bound of the check.

    python benchmarks/twins.py        # WATERTIGHT_RAW names the folder of the raw files

All pairs of different images of a source are compared, wherever the split puts them. Of the same picture only what number
formats do to its vector can be told: the sources hold no pictures that could be encoded anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl
from experiments import ROOT, table, write

from pipelines.source import typed_drops
from watertight.core.project import Project

Floats = npt.NDArray[np.float64]

PAGE = ROOT / "docs" / "pairs.md"
SOURCES = (("alignment", "simulated"), ("retrieval", "simulated"), ("alignment", "shopsphere"))
LEAST = (0.95, 0.96, 0.97, 0.98, 0.99)
PRODUCT = r"^image-(\d{6})\d+$"


def main() -> None:
    """Measure and write the table."""
    write(PAGE, {"twins": table([line for workload, source in SOURCES for line in _lines(workload, source)])})


def _lines(workload: str, source: str) -> Iterator[Mapping[str, object]]:
    images = _images(workload, source)
    vectors = np.array(images["image"].to_list())
    one, other = np.triu_indices(len(vectors), 1)
    cosine = (_directions(vectors) @ _directions(vectors).T)[one, other]
    yield {"pairs of": f"{workload}, {source}", **_counted(cosine), **_itself(vectors)}
    product = images["image_id"].str.extract(PRODUCT)
    if not product.null_count():
        same = product.to_numpy()[one] == product.to_numpy()[other]
        yield {"pairs of": "… of one product", **_counted(cosine[same])}
        yield {"pairs of": "… of two products", **_counted(cosine[~same])}


def _images(workload: str, source: str) -> pl.DataFrame:
    """A row for each image of a source that this workload may read."""
    work = Project(ROOT).workload(workload)
    told = work.params.model_copy(update={"source": work.params.source.model_copy(update={"name": source})})
    [rows] = typed_drops(replace(work, params=told))
    return rows.unique("image_id", maintain_order=True)


def _counted(cosine: Floats) -> dict[str, str]:
    counts = {f"≥ {least}": f"{np.count_nonzero(cosine >= least):,}" for least in LEAST}
    return {"pairs": f"{len(cosine):,}", **counts, "nearest": f"{cosine.max():.4f}"}


def _itself(vectors: Floats) -> dict[str, str]:
    """How far a vector may come from itself by how it is stored: the least cosine."""
    in_bytes = np.round(vectors / np.abs(vectors).max(axis=1, keepdims=True) * 127)
    stored = {"itself, 16 bits": vectors.astype(np.float16), "itself, 8 bits": in_bytes}
    return {name: f"{_cosines(vectors, kept).min():.8f}" for name, kept in stored.items()}


def _cosines(one: Floats, other: npt.NDArray[np.floating]) -> Floats:
    return np.asarray(np.sum(_directions(one) * _directions(other), axis=1))


def _directions(vectors: npt.NDArray[np.floating]) -> Floats:
    wide = vectors.astype(np.float64)
    return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True))


if __name__ == "__main__":
    main()
