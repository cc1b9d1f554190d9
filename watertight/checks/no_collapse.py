"""A model has not collapsed: it does not say the same of every row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from watertight.checks.base import Found, TableCheck, skipped
from watertight.checks.predicted import NEEDS, Predicted, predicted, spread

BIN = 0.1
"""Width of the modal bin of scalars, in standard deviations of the labels."""
Rows = npt.NDArray[np.bool_]


class ExpectNoCollapse(TableCheck):
    """The predictions of a cell spread like something that was learnt, and do not crowd in one place.

    Spread: the root mean square distance of two rows of a fold is at least ``least_spread`` of the labels'. (A calibrated
    model spreads as much less than the labels as it correlates with them, so the bound is low.) Crowd: the modal bin holds
    at most the labels' share and ``most_crowd`` of the rest. For scalars it is the range of 0.1 standard deviations of the
    labels that holds most predictions, wherever it lies, and the labels' share that of their own such range; for classes
    it is the class that is predicted most often, and the labels' share how often it is true. Names the rows in it.
    """

    needs = NEEDS
    least_spread: float = 0.05
    most_crowd: float = 0.9

    def find(self, frame: pd.DataFrame) -> Found:
        """The rows of the crowd where the model collapsed."""
        told = predicted(self.setting, frame)
        if told is None:
            return skipped("truths or predictions of the target are not there")
        labels = spread(told.truth, told.fold)
        if not labels:
            return skipped(f"the labels of {told.name} do not vary")
        ratio = spread(told.given, told.fold) / labels
        crowd, share, allowed = self._crowd(told)
        ok = ratio >= self.least_spread and share <= allowed
        figures = {"spread": ratio, "least_spread": self.least_spread, "modal_share": share, "most_modal_share": allowed}
        text = f"{told.name}: predictions spread {ratio:.3f} of the labels, at least {self.least_spread:g}"
        text += f"; {share:.1%} of them in the modal bin, at most {allowed:.1%}" if told.target.kind != "vector" else ""
        rows = frame.loc[crowd, "row_id"].astype(str).tolist()
        return Found(ok, () if ok else rows, () if ok else (told.name,), _rounded(figures), text)

    def _crowd(self, told: Predicted) -> tuple[Rows, float, float]:
        """Who stands in the fullest place, their share, and the share that may."""
        if told.target.kind == "vector":
            return np.zeros(len(told.given), dtype=bool), 0.0, 1.0
        if told.target.kind == "class":
            counts = np.bincount(told.likeliest)
            crowd = told.likeliest == counts.argmax()
            common = float(told.truth[:, counts.argmax()].mean())
        else:
            width = BIN * float(told.truth.std())
            crowd = _fullest(_about_fold(told), width)
            common = float(_fullest(told.truth[:, 0], width).mean())
        return crowd, float(crowd.mean()), common + self.most_crowd * (1 - common)


def _about_fold(told: Predicted) -> npt.NDArray[np.float64]:
    means = np.bincount(told.fold, weights=told.given[:, 0]) / np.bincount(told.fold)
    return told.given[:, 0] - means[told.fold]


def _fullest(values: npt.NDArray[np.float64], width: float) -> Rows:
    """Who stands in the closed range of ``width`` that holds most values, (n,)."""
    ordered = np.sort(values)
    ends = np.searchsorted(ordered, ordered + width, side="right")
    low = ordered[np.argmax(ends - np.arange(len(ordered)))]
    return (values >= low) & (values <= low + width)


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in figures.items()}
