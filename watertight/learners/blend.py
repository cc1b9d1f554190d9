"""Blend: a convex combination of other cells' predictions, its weights a function of the row's context."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from safetensors.numpy import load_file, save_file

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.core.tables import read_json, write_json
from watertight.learners.family import Options, Outputs
from watertight.learners.matrix import Matrix

Floats = npt.NDArray[np.float64]


class BlendOptions(Options):
    """``strength``: L2 penalty on what the context does to the weights, per row; as it grows the weights become constant.

    ``edges`` cuts a context column into buckets (open below, closed above), each with a weight of its own.
    """

    strength: float = Field(default=0.05, ge=0)
    edges: dict[str, tuple[float, ...]] = {}

    @model_validator(mode="after")
    def _edges_rise(self) -> BlendOptions:
        falling = [name for name, edges in self.edges.items() if any(one >= other for one, other in pairwise(edges))]
        if falling:
            raise ValueError(f"the edges of {', '.join(falling)} do not rise")
        return self


class Blend:
    """Weights that are not negative and sum to 1 in each row: softmax(b + W·context) over the members.

    The members are the cells that the cell stands over, the context every other column; without context it is the plain
    convex blend. Fitted by weighted least squares on the members' out-of-fold predictions (a mixture-of-experts gate over
    fixed experts; Jacobs et al. 1991, Breiman 1996), by L-BFGS from equal weights. Beside ``mean`` it answers
    ``weights``, (rows, members) in the order of ``over``.
    """

    kinds: ClassVar[tuple[str, ...]] = ("scalar",)

    def __init__(self, options: BlendOptions, arrays: dict[str, Any] | None = None) -> None:
        self.options = options
        self.arrays = arrays or {}

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        return cls(BlendOptions.of("blend", options))

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: Floats, *, seed: int) -> Self:
        """Minimise the squared error; ``seed`` is not needed.

        Raises Misuse where there are fewer than two members, Refusal where one's prediction is no number.
        """
        from scipy.optimize import minimize  # half a second to import

        members = _members(x)
        if not np.isfinite(members).all():
            lost = [name for name, values in zip(x.members, members.T, strict=True) if not np.isfinite(values).all()]
            raise Refusal(f"predictions of {', '.join(lost)} are not finite", expected="a number in each row")
        raw = self._raw(x)
        centre, spread = _moments(raw)
        self.arrays = {"centre": centre, "scale": spread}
        context = self._context(x)
        share = weight / weight.sum()
        start = np.zeros((context.shape[1], members.shape[1]))
        found = minimize(
            _loss,
            start.ravel(),
            args=(members, context, y, share, self.options.strength * max(float(np.average((y - y.mean()) ** 2)), 1e-12)),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-9},
        )
        self.arrays["gate"] = np.ascontiguousarray(found.x.reshape(start.shape))
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``mean`` and the ``weights`` that made it."""
        weights = _softmax(np.einsum("ij,jk->ik", self._context(x), self.arrays["gate"]))
        return {"mean": np.einsum("ij,ij->i", weights, _members(x)), "weights": weights}

    def save(self, folder: Path) -> None:
        """Write the gate and the moments of the context as safetensors, the options as JSON."""
        save_file(self.arrays, folder / "model.safetensors")
        write_json(self.options.model_dump(mode="json"), folder / "options.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls(BlendOptions.of("blend", read_json(folder / "options.json")), load_file(folder / "model.safetensors"))

    def _raw(self, x: Matrix) -> Floats:
        """Context columns as they are, then an indicator per bucket."""
        places = [place for place, name in enumerate(x.names) if name not in x.members]
        plain = x.values[:, places].astype(np.float64)
        buckets = [_buckets(x.column(name), edges) for name, edges in sorted(self.options.edges.items())]
        return np.hstack([plain, *buckets])

    def _context(self, x: Matrix) -> Floats:
        """A column of ones, then the standardised context; a null is the training mean."""
        standard = np.nan_to_num((self._raw(x) - self.arrays["centre"]) / self.arrays["scale"])
        return np.hstack([np.ones((len(standard), 1)), standard])


def _members(x: Matrix) -> Floats:
    if len(x.members) < 2:
        raise Misuse("a blend needs at least two members", expected="`over: [cell, cell, …]` in its cell")
    return x.values[:, [x.names.index(name) for name in x.members]].astype(np.float64)


def _buckets(values: npt.NDArray[np.float32], edges: tuple[float, ...]) -> Floats:
    """One indicator per bucket, of which there is one more than edges; a null is in none."""
    return np.eye(len(edges) + 1)[np.digitize(values, edges, right=True)] * ~np.isnan(values)[:, None]


def _moments(raw: Floats) -> tuple[Floats, Floats]:
    known = ~np.isnan(raw)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, raw, 0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, raw - centre, 0) ** 2).sum(axis=0) / count)
    return centre, np.where(spread > 0, spread, 1.0)


def _softmax(scores: Floats) -> Floats:
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def _loss(gate: Floats, members: Floats, context: Floats, y: Floats, share: Floats, penalty: float) -> tuple[float, Floats]:
    """Weighted mean squared error with the penalty on all but the first row of the gate, and its gradient."""
    table = gate.reshape(context.shape[1], members.shape[1])
    weights = _softmax(context @ table)
    mean = (weights * members).sum(axis=1)
    slope = 2 * share * (mean - y)
    gradient = context.T @ (weights * (members - mean[:, None]) * slope[:, None])
    gradient[1:] += 2 * penalty * table[1:]
    return float(share @ (mean - y) ** 2 + penalty * (table[1:] ** 2).sum()), gradient.ravel()
