"""A model is calibrated: what it says is on average what comes, bin by bin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from watertight.checks.base import Found, TableCheck, skipped
from watertight.checks.predicted import NEEDS, Predicted, predicted
from watertight.core.calibration import binned_error, confidence_bins, error_by_chance, tenths


class ExpectCalibrated(TableCheck):
    """The calibration error of a cell is at most ``most``, or what chance makes of calibrated predictions.

    Scalars: over ten bins of equal count by prediction, Σ |Σ (prediction − truth)| / n in standard deviations of the
    labels. Classes: the expected calibration error of the likeliest class over ten bins of equal width (Guo et al. 2017),
    a share. A few rows have an error by chance alone; so a cell is refused only where its error is also above that which
    ``confidence`` of calibrated predictions with errors as large, alike within groups, would stay under.
    """

    needs = NEEDS
    most: float = 0.1
    confidence: float = 0.99

    def find(self, frame: pd.DataFrame) -> Found:
        """Whether the error is within its bound, with the slope and intercept of truth on prediction for scalars."""
        told = predicted(self.setting, frame)
        if told is None or told.target.kind == "vector":
            return skipped("calibration is asked of scalars and classes that the cell predicts")
        unit = float(told.truth.std()) if told.target.kind == "scalar" else 1.0
        if not unit:
            return skipped(f"the labels of {told.name} do not vary")
        gap, place = _gaps(told)
        error = binned_error(gap, place) / unit
        chance = error_by_chance(gap, place, told.group, self.confidence) / unit
        ok = error <= max(self.most, chance)
        figures = {"error": round(error, 6), "most": self.most, "by_chance": round(chance, 6), **_line(told)}
        of = " sd of the labels" if told.target.kind == "scalar" else ""
        text = f"{told.name}: calibration error {error:.4f}{of}, at most {self.most:g} (by chance up to {chance:.3f})"
        return Found(ok, columns=() if ok else (told.name,), figures=figures, told=text)


def _gaps(told: Predicted) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Prediction − truth and its bin; for classes the likeliest's probability − whether it is right."""
    if told.target.kind == "scalar":
        return told.given[:, 0] - told.truth[:, 0], tenths(told.given[:, 0])
    confidence = told.given.max(axis=1)
    right = told.truth[np.arange(len(confidence)), told.likeliest]
    return confidence - right, confidence_bins(confidence)


def _line(told: Predicted) -> dict[str, float]:
    """Slope and intercept of the least squares line of truth on prediction; 1 and 0 where calibrated. None of constants."""
    if told.target.kind != "scalar" or not np.ptp(told.given):
        return {}
    slope, intercept = np.polyfit(told.given[:, 0], told.truth[:, 0], 1)
    return {"slope": round(float(slope), 6), "intercept": round(float(intercept), 6)}
