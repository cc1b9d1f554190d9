"""Another cell's prediction as it is, with an interval around it that is as wide as that cell is unsure."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field
from safetensors.numpy import load_file, save_file

from watertight.core.contract import Target
from watertight.core.errors import Misuse
from watertight.learners.calibrated import conformal_quantile
from watertight.learners.family import Options, Outputs
from watertight.learners.linear_fit import Floats
from watertight.learners.matrix import LOG_VARIANCE, MEMBER, Matrix

MODEL = "conformal.safetensors"


class ConformalOptions(Options):
    """``level`` is the share of rows of new groups whose label is to lie in the interval."""

    level: float = Field(default=0.9, gt=0, lt=1)


class Conformal:
    """Normalised conformal intervals (Lei et al. 2018) of the one cell that it stands over, whose prediction it leaves alone.

    For a member that was fitted for another distribution than that of the training rows, which :class:`Calibrated` would pull
    back to it. ``mean``, (n,): the member's. ``lower`` and ``upper``, (n,): mean ± q·σ cut to the target's range, σ the square
    root of the member's own variance where it tells one, else 1; q is crepes' quantile of |residual| / σ over the out-of-fold
    predictions, with the correction for groups that :class:`Calibrated` describes. ``level``, (n,): the level, which holds for
    rows like the training rows and for no others.
    """

    kinds: ClassVar[tuple[str, ...]] = ("scalar",)

    def __init__(self, arrays: dict[str, Any]) -> None:
        self.arrays = arrays

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet; ``target`` has a range."""
        level = ConformalOptions.of("conformal", options).level
        return cls({"level": np.array([level]), "range": np.array(target.range, dtype=np.float64)})

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: Floats, *, seed: int) -> Self:
        """Take the quantile; ``weight`` and ``seed`` are not needed. Raises Misuse without exactly one member, or groups."""
        if x.groups is None:
            raise Misuse("family 'conformal' counts groups and was given none", expected="the rows' group_id")
        mean, spread = _told(x)
        groups = len(np.unique(x.groups))
        self.arrays["quantile"] = conformal_quantile(np.abs(y - mean), spread, groups, self.arrays["level"])
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``mean``, ``lower``, ``upper`` and ``level``."""
        mean, spread = _told(x)
        half = self.arrays["quantile"] * spread
        low, high = self.arrays["range"]
        lower, upper = (np.clip(edge, low, high) for edge in (mean - half, mean + half))
        return {"mean": mean, "lower": lower, "upper": upper, "level": np.tile(self.arrays["level"], len(mean))}

    def save(self, folder: Path) -> None:
        """Write the quantile, the level and the range as safetensors."""
        save_file({name: np.ascontiguousarray(self.arrays[name]) for name in sorted(self.arrays)}, folder / MODEL)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls(load_file(folder / MODEL))


def _told(x: Matrix) -> tuple[Floats, Floats]:
    """The member's prediction and its σ, (n,)."""
    if len(x.members) != 1:
        raise Misuse(f"family 'conformal' stands over one cell, not {len(x.members)}", expected="`over: [cell]` in its cell")
    [member] = x.members
    mean, own = x.column(member).astype(np.float64), f"{LOG_VARIANCE}{member.removeprefix(MEMBER)}"
    return mean, np.exp(x.column(own).astype(np.float64) / 2) if own in x.names else np.ones(len(mean))
