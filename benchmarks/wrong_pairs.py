"""What wrong pairs cost a projector, and what each filter of ``params.yaml`` brings back: told in docs/pairs.md.

    python benchmarks/wrong_pairs.py

The simulator gives the same images, and the same right captions, whatever the share of wrong pairs. So one network is fitted
on clean pairs, on those of the section, and on what each data version keeps of these, and all are judged by the same held-out
captions, the right ones, in the same gallery of held-out images. Intervals are over resamples of whole images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from experiments import ROOT, table, write
from scipy.stats import bootstrap

from pipelines.sources.alignment.simulated import simulate
from watertight.core.contract import Target
from watertight.core.project import Project
from watertight.core.ranks import gallery, ranks
from watertight.core.workload import WorkloadParams
from watertight.learners.catalogue import build
from watertight.learners.matrix import Matrix
from watertight.learners.treatments.filtered import kept_places

Floats = npt.NDArray[np.float64]

PAGE = ROOT / "docs" / "pairs.md"
WORKLOAD, MATRIX, TARGET, FAMILY = "retrieval", "net", "image", "projector"
HELD_OUT = 0.15
RESAMPLES = 2000


def main() -> None:
    """Fit, score and write the table."""
    params = Project(ROOT).workload(WORKLOAD).params
    options = params.source.chosen
    wrong, clean = (_Pairs(simulate(**{**options, "wrong_pairs": share})) for share in (options["wrong_pairs"], 0.0))
    judged = (wrong.rows["written_for"] == "this image").to_numpy() & ~wrong.fitted
    found = {"clean pairs": np.mean([clean.found(params, seed, clean.fitted) for seed in _seeds(params)], axis=0)[judged]}
    for name in params.train.declared[MATRIX].data or ():
        kept = wrong.kept(params, name)
        found[name] = np.mean([wrong.found(params, seed, kept) for seed in _seeds(params)], axis=0)[judged]
    images = wrong.rows["image_id"].to_numpy()[judged]
    write(PAGE, {"wrong pairs": table(list(_lines(found, images)))})


@dataclass(frozen=True)
class _Pairs:
    """Captions of images: ``rows`` as the simulator gives them."""

    rows: pl.DataFrame

    @property
    def fitted(self) -> npt.NDArray[np.bool_]:
        """Those of the first images."""
        images = self.rows["image_id"].rank("dense").to_numpy()
        return images <= (1 - HELD_OUT) * images.max()

    def kept(self, params: WorkloadParams, version: str) -> npt.NDArray[np.bool_]:
        """What a data version keeps of the rows that are fitted on."""
        stay = self.fitted.copy()
        steps = params.train.treatments.get(version, ())
        if steps:
            rows = self.rows.filter(stay).with_columns(group_id="image_id")
            weight = np.ones(rows.height)
            stay[stay] = kept_places(steps, rows, self.x.at(self.fitted), self.y[self.fitted], weight, TARGET, self.target)
        return stay

    def found(self, params: WorkloadParams, seed: int, kept: npt.NDArray[np.bool_]) -> Floats:
        """1 / rank of each row's image among those held out, fitted on ``kept``; NaN for the other rows."""
        model = build(FAMILY, TARGET, self.target, params.train.families[FAMILY])
        told = model.fit(self.x.at(kept), self.y[kept], np.ones(int(kept.sum())), seed=seed).predict(self.x.at(~self.fitted))
        answer = np.full(self.rows.height, np.nan)
        answer[~self.fitted] = 1 / ranks(told["vector"], gallery(self.y[~self.fitted]))
        return answer

    @property
    def x(self) -> Matrix:
        """The captions' vectors."""
        values = np.stack(self.rows["text_vector"].to_numpy()).astype(np.float32)
        names = tuple(f"vector[{place}]" for place in range(values.shape[1]))
        return Matrix(values, names, {}, self.rows["image_id"].to_numpy().astype(np.str_))

    @property
    def y(self) -> Floats:
        """The images' vectors."""
        return np.stack(self.rows[TARGET].to_numpy()).astype(np.float64)

    @property
    def target(self) -> Target:
        """What is predicted."""
        return Target(kind="vector", dimension=self.y.shape[1])


def _seeds(params: WorkloadParams) -> tuple[int, ...]:
    return params.train.declared[MATRIX].seeds or (0,)


def _lines(found: dict[str, Floats], images: npt.NDArray[Any]) -> Iterator[dict[str, Any]]:
    """MRR of each, and what it is beside the wrong pairs as they are."""
    cost = found["clean pairs"].mean() - found["whole"].mean()
    for name, values in found.items():
        gain = values - found["whole"]
        told = "" if name == "whole" else f"{gain.mean():+.4f} [{', '.join(f'{end:.4f}' for end in _interval(gain, images))}]"
        share = "" if name in ("whole", "clean pairs") else f"{gain.mean() / cost:.0%}"
        yield {"fitted on": name, "MRR": f"{values.mean():.4f}", "less whole": told, "of the cost": share}


def _interval(values: Floats, images: npt.NDArray[Any]) -> tuple[float, float]:
    """Of the mean, at 95 %, over whole images."""
    _, of = np.unique(images, return_inverse=True)
    sums, rows = np.bincount(of, weights=values), np.bincount(of)
    ratio = lambda sums, rows, axis=-1: sums.sum(axis=axis) / rows.sum(axis=axis)  # noqa: E731
    drawn = bootstrap((sums, rows), ratio, paired=True, n_resamples=RESAMPLES, rng=np.random.default_rng(0), method="BCa")
    return drawn.confidence_interval.low, drawn.confidence_interval.high


if __name__ == "__main__":
    main()
