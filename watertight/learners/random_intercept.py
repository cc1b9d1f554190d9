"""A linear model of a text's vector with an intercept of each entity's own, told by the entity's past."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_array

from watertight.core.contract import Target
from watertight.core.tables import read_json, write_json
from watertight.learners.family import Options, Outputs
from watertight.learners.inner_folds import Fold, inner_folds
from watertight.learners.linear_fit import Floats
from watertight.learners.matrix import Matrix

MODEL, OPTIONS = "model.safetensors", "options.json"
FOLDS = 5
LOG_RATIO = (-6.0, 12.0)
"""Where the logarithm of λ is looked for."""


class RandomInterceptOptions(Options):
    """The joined features it reads: the text's ``vector``; of the entity's past the ``count``, the ``mean`` label and the
    mean vector, ``text``. ``strength`` is ridge's alpha on the vectors as they are."""

    vector: str
    count: str
    mean: str
    text: str
    strength: float = Field(default=3.0, gt=0)


class _Rows(NamedTuple):
    """Vectors (n, d) and their past means (n, d), without NaN; how many past labels were seen, and their
    mean (0 where none was)."""

    vector: Floats
    past: Floats
    seen: Floats
    mean: Floats

    def at(self, places: npt.NDArray[np.int64]) -> _Rows:
        return _Rows(*(values[places] for values in self))


class _Known(NamedTuple):
    """Rows with their labels, weights and group codes, (n,) each."""

    rows: _Rows
    y: Floats
    weight: Floats
    group: npt.NDArray[np.int64]

    def at(self, places: npt.NDArray[np.int64]) -> _Known:
        return _Known(self.rows.at(places), self.y[places], self.weight[places], self.group[places])


class RandomIntercept:
    """ŷ = b + w·v + n/(n + λ) · (m - b - w·v̄), v the text's vector; n, m and v̄ count and means of the entity's past.

    The last factor is the mean residual of the past, shrunk by how little is known: the best linear unbiased prediction
    of the entity's intercept (Henderson 1975; Laird & Ware 1982), with λ the variance of a label about its entity's line
    over that of the intercepts. No row is needed beside the one predicted. A count of null or 0, or a mean of null, means
    no intercept; a vector that is null is the mean of the training vectors.

    ``fit`` has two steps. λ is that with the least weighted squared error where w and b come from other groups, so that
    a past residual is one of texts that the model has not seen. Then w and b are fitted together with an intercept per
    training group under the penalty λ (Henderson's mixed-model equations), since intercepts that go with what a group
    writes about would otherwise be taken for what its words mean; and λ is estimated once more about that fit.
    """

    kinds: ClassVar[tuple[str, ...]] = ("scalar",)

    def __init__(self, options: RandomInterceptOptions, arrays: dict[str, Any] | None = None) -> None:
        self.options = options
        self.arrays = arrays or {}

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        return cls(RandomInterceptOptions.of("random_intercept", options))

    @property
    def ratio(self) -> float:
        """λ: how many past labels say as much of an entity as nothing known does."""
        return float(self.arrays["ratio"][0])

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: Floats, *, seed: int) -> Self:
        """Closed forms and a bounded search; ``seed`` is not needed.

        Raises Misuse where ``x`` has no groups, Refusal where it has fewer than two.
        """
        folds = list(inner_folds(x, FOLDS))
        self.arrays["centre"] = _mean_vector(x.block(self.options.vector))
        known = _Known(self._rows(x), y, weight, np.unique(np.asarray(x.groups), return_inverse=True)[1])
        strength = self.options.strength
        first = _ratio(known, folds, strength, np.inf)
        ratio = _ratio(known, folds, strength, first)
        slopes, intercept = _fixed_effects(known, strength, first)
        self.arrays |= {"slopes": slopes, "intercept": np.array([intercept]), "ratio": np.array([ratio])}
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``mean``."""
        rows = self._rows(x)
        line, past = (_line(vectors, self.arrays["slopes"], self.arrays["intercept"][0]) for vectors in (rows.vector, rows.past))
        return {"mean": line + _share(rows.seen, self.ratio) * (rows.mean - past)}

    def save(self, folder: Path) -> None:
        """Write the arrays as safetensors, the options as JSON."""
        save_file({name: np.ascontiguousarray(self.arrays[name]) for name in sorted(self.arrays)}, folder / MODEL)
        write_json(self.options.model_dump(), folder / OPTIONS)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls(RandomInterceptOptions(**read_json(folder / OPTIONS)), load_file(folder / MODEL))

    def _rows(self, x: Matrix) -> _Rows:
        vector, past = (self._filled(x.block(name)) for name in (self.options.vector, self.options.text))
        count, mean = (x.column(name).astype(np.float64) for name in (self.options.count, self.options.mean))
        known = (count > 0) & ~np.isnan(mean)
        return _Rows(vector, past, np.where(known, count, 0.0), np.where(known, mean, 0.0))

    def _filled(self, vectors: npt.NDArray[np.float32]) -> Floats:
        # In one memory layout: it decides the order in which a row is summed.
        return np.ascontiguousarray(np.where(np.isnan(vectors), self.arrays["centre"], vectors), dtype=np.float64)


def _mean_vector(vectors: npt.NDArray[np.float32]) -> Floats:
    """The mean of each column over the rows that have it; 0 where none has."""
    known = ~np.isnan(vectors)
    return np.where(known, vectors, 0.0).sum(axis=0, dtype=np.float64) / np.maximum(known.sum(axis=0), 1)


def _line(vectors: Floats, slopes: Floats, intercept: float) -> Floats:
    # Unlike a BLAS product, einsum sums a row in the same order whatever stands beside it: alone or in a batch.
    return np.einsum("ij,j->i", vectors, slopes) + intercept


def _share(count: Floats, ratio: float) -> Floats:
    """How much of a past residual is believed; 0 where there is no past."""
    return count / (count + ratio)


def _ratio(known: _Known, folds: list[Fold], strength: float, within: float) -> float:
    """λ with the least weighted squared error, each row judged by slopes of other groups, fitted under the λ ``within``."""
    from scipy.optimize import minimize_scalar  # half a second to import

    rest, residual = np.empty(len(known.y)), np.empty(len(known.y))
    for fitted, held in folds:
        slopes, intercept = _fixed_effects(known.at(fitted), strength, within)
        other = known.rows.at(held)
        rest[held] = known.y[held] - _line(other.vector, slopes, intercept)
        residual[held] = other.mean - _line(other.past, slopes, intercept)

    def loss(logarithm: float) -> float:
        own = _share(known.rows.seen, np.exp(logarithm)) * residual
        return float(np.average((rest - own) ** 2, weights=known.weight))

    return float(np.exp(minimize_scalar(loss, bounds=LOG_RATIO, method="bounded").x))


def _fixed_effects(known: _Known, strength: float, ratio: float) -> tuple[Floats, float]:
    """Slopes and intercept beside an intercept per group under the penalty ``ratio``; infinite for none.

    Henderson's equations with the groups' intercepts eliminated, so that their number costs nothing.
    """
    vectors, y, weight = known.rows.vector, known.y, known.weight
    design = np.hstack([vectors, np.ones((len(y), 1))])
    member = csr_array((weight, (known.group, np.arange(len(y)))))
    shrunk = np.sqrt(ratio + member.sum(axis=1))
    own, own_y = (member @ design) / shrunk[:, None], (member @ y) / shrunk
    weighted = design * weight[:, None]
    penalty = np.diag(np.append(np.full(vectors.shape[1], strength), 0.0))
    found = np.linalg.solve(design.T @ weighted - own.T @ own + penalty, weighted.T @ y - own.T @ own_y)
    return found[:-1], float(found[-1])
