"""Another cell's prediction, set straight, with an interval around it that is as wide as the row is difficult."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field
from safetensors.numpy import load_file, save_file

from watertight.core.contract import Target
from watertight.core.errors import Misuse
from watertight.learners.family import Options, Outputs
from watertight.learners.inner_folds import Fold, inner_folds
from watertight.learners.linear import Linear, LinearOptions
from watertight.learners.linear_fit import Floats
from watertight.learners.matrix import Matrix

MODEL = "calibrated.safetensors"
LEAST_RESIDUAL = 0.1
"""Added to residuals before their logarithm is taken, in medians: how near 0 one happens to lie tells little."""
FOLDS = 5
SCALE_STRENGTH = 100.0
MADE_OF = "calibrated prediction"


class CalibratedOptions(Options):
    """``level`` is the share of rows of new groups whose label is to lie in the interval."""

    level: float = Field(default=0.9, gt=0, lt=1)


class Calibrated:
    """Isotonic calibration, and normalised conformal intervals, of the one cell that it stands over.

    ``mean``: the prediction p, moved towards the mean of the isotonic fits of up to five inner folds (as scikit-learn's
    CalibratedClassifierCV with ``ensemble=True``) by the share in [0, 1] that least squares gives the held-out fits: steps
    fitted on few rows cost more than they mend, and then little is moved. Never falling in p, cut to the target's range.
    ``lower`` and ``upper``, (n,): mean ± q·σ cut to the range, where log σ is linear in the standardised context (every other
    column, such as the member's own log-variance; null is the mean) and the mean (Papadopoulos et al. 2011), and q is crepes'
    quantile of |residual| / σ. ``level``, (n,): the level. A cell's prediction is never null.

    Residuals and σ are of folds that hold whole groups, so no fit saw a row of the group that it is judged on. Rows of
    one group are alike, and K groups tell less than their rows: so q is taken at level·(K + 1)/K, as if the new group
    were one of K + 1 and beyond them all. Where groups have equally many rows that is the hierarchical conformal
    quantile (Dunn, Wasserman & Ramdas 2022; Lee, Barber & Willett 2023), which covers a row of a new group with at least
    ``level`` for fixed fits. Where they have not, every row counts the same, because a figure of coverage counts rows;
    then it is no theorem, but holds in simulation (``tests/learners/test_calibrated.py``), whereas equal weights of groups
    cover too few rows where those who write much are also noisier. At a level too high for K, the range is the interval.
    That the final fits average those of the inner folds is the approximation of cross-conformal prediction (Vovk 2015).
    Row weights count in the fits and not in the quantile.
    """

    kinds: ClassVar[tuple[str, ...]] = ("scalar",)

    def __init__(self, scale: Linear, arrays: dict[str, Any]) -> None:
        self.scale = scale
        self.arrays = arrays

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet; ``target`` has a range."""
        level = CalibratedOptions.of("calibrated", options).level
        return cls(_unfitted_scale(), {"level": np.array([level]), "range": np.array(target.range, dtype=np.float64)})

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: Floats, *, seed: int) -> Self:
        """Closed forms; ``seed`` is not needed.

        Raises Misuse without exactly one member or without groups, Refusal where there are fewer than two groups.
        """
        told, folds = self._told(x), list(inner_folds(x, FOLDS))
        fits = [_isotonic(told[fitted], y[fitted], weight[fitted], self._range) for fitted, _ in folds]
        knots = np.unique(np.concatenate([knots for knots, _ in fits]))
        self.arrays |= {"knots": knots, "values": np.mean([np.interp(knots, *fit) for fit in fits], axis=0)}
        held_out = np.empty(len(y))
        for (_, held), fit in zip(folds, fits):
            held_out[held] = np.interp(told[held], *fit)
        self.arrays["trust"] = np.array([_trust(told, held_out, y, weight)])
        held_out = self._moved(told, held_out)
        spread = self._fit_scale(_context(x, held_out), np.abs(y - held_out), weight, folds)
        self.arrays["quantile"] = conformal_quantile(
            np.abs(y - held_out), spread, len(np.unique(np.asarray(x.groups))), self.arrays["level"]
        )
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``mean``, ``lower``, ``upper`` and ``level``."""
        told = self._told(x)
        mean = self._moved(told, np.interp(told, self.arrays["knots"], self.arrays["values"]))
        half = self.arrays["quantile"] * self._spread(self.scale, _context(x, mean))
        lower, upper = (np.clip(edge, *self._range) for edge in (mean - half, mean + half))
        return {"mean": mean, "lower": lower, "upper": upper, "level": np.tile(self.arrays["level"], len(mean))}

    def save(self, folder: Path) -> None:
        """Write the calibrator and the quantile as safetensors, and the model of the scale beside them."""
        save_file({name: np.ascontiguousarray(self.arrays[name]) for name in sorted(self.arrays)}, folder / MODEL)
        self.scale.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls(Linear.load(folder), load_file(folder / MODEL))

    def _fit_scale(self, context: Matrix, residual: Floats, weight: Floats, folds: list[Fold]) -> Floats:
        """Fit the model of the scale; returns σ of each row by a fit on the folds that it is not in."""
        least = max(LEAST_RESIDUAL * float(np.median(residual)), float(np.finfo(np.float32).eps))
        logarithm = np.log(residual + least)
        self.arrays["log_scale_range"] = np.array([logarithm.min(), logarithm.max()])
        spread = np.empty(len(residual))
        for fitted, held in folds:
            inner = _unfitted_scale().fit(context.at(fitted), logarithm[fitted], weight[fitted], seed=0)
            spread[held] = self._spread(inner, context.at(held))
        self.scale = _unfitted_scale().fit(context, logarithm, weight, seed=0)
        return spread

    def _spread(self, scale: Linear, context: Matrix) -> Floats:
        """σ per row, never beyond the residuals of training."""
        return np.exp(np.clip(scale.predict(context)["mean"], *self.arrays["log_scale_range"]))

    def _moved(self, told: Floats, isotonic: Floats) -> Floats:
        """A prediction moved towards its isotonic value."""
        return np.clip(told + self.arrays["trust"] * (isotonic - told), *self._range)

    def _told(self, x: Matrix) -> Floats:
        """The member's prediction, (n,)."""
        if len(x.members) != 1:
            raise Misuse(f"family 'calibrated' stands over one cell, not {len(x.members)}", expected="`over: [cell]` in its cell")
        return x.column(x.members[0]).astype(np.float64)

    @property
    def _range(self) -> tuple[float, float]:
        low, high = self.arrays["range"]
        return float(low), float(high)


def _unfitted_scale() -> Linear:
    return Linear("scalar", 0, LinearOptions(strength=SCALE_STRENGTH))


def _context(x: Matrix, mean: Floats) -> Matrix:
    """What the scale is read from: every column but the member's, and the calibrated prediction."""
    places = [place for place, name in enumerate(x.names) if name not in x.members]
    values = np.hstack([x.values[:, places], mean[:, None].astype(np.float32)])
    return Matrix(np.ascontiguousarray(values), (*(x.names[place] for place in places), MADE_OF))


def _isotonic(told: Floats, y: Floats, weight: Floats, limits: tuple[float, float]) -> tuple[Floats, Floats]:
    """Knots and values of the isotonic regression of ``y`` on a prediction; constant beyond the first and the last."""
    from sklearn.isotonic import IsotonicRegression  # a second to import

    low, high = limits
    fitted = IsotonicRegression(y_min=low, y_max=high, out_of_bounds="clip").fit(told, y, sample_weight=weight)
    return fitted.X_thresholds_, fitted.y_thresholds_


def _trust(told: Floats, isotonic: Floats, y: Floats, weight: Floats) -> float:
    """The share of the way to the held-out isotonic values that has the least weighted squared error, in [0, 1]."""
    way = isotonic - told
    length = float(np.sum(weight * way**2))
    return float(np.clip(np.sum(weight * way * (y - told)) / length, 0, 1)) if length else 0.0


def conformal_quantile(residual: Floats, spread: Floats, groups: int, level: Floats) -> Floats:
    """How many σ the interval reaches to either side, (1,); infinite where the groups are too few for the ``level``, (1,)."""
    from crepes import ConformalRegressor  # a second to import, for SciPy's statistics

    regressor = ConformalRegressor().fit(residual, sigmas=spread)
    confidence = float(level[0]) * (groups + 1) / groups
    with warnings.catch_warnings():
        # Too few groups for the level: told by the interval, which is then the whole range.
        warnings.simplefilter("ignore", UserWarning)
        return regressor.predict_int(np.zeros(1), sigmas=np.ones(1), confidence=confidence)[:, 1]
