"""Whether intervals cover what they claim: the bounds in which the coverage of n rows lies by chance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
CONFIDENCE = 0.99


@dataclass(frozen=True)
class Coverage:
    """The ``coverage`` of intervals of ``level`` on ``rows`` rows, and the bounds in which chance alone would put it.

    ``plain_low`` and ``plain_high``: binomial, for independent rows. ``low`` and ``high``: the same for ``rows`` /
    ``design_effect`` rows, as many independent ones as the rows of the groups are worth.
    """

    rows: int
    level: float
    coverage: float
    low: float
    high: float
    plain_low: float
    plain_high: float
    design_effect: float

    @property
    def within(self) -> bool:
        """Whether the coverage lies in the bounds that know of groups."""
        return self.low <= self.coverage <= self.high

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {**{name: _rounded(value) for name, value in asdict(self).items()}, "within": self.within}


def binomial_bounds(rows: Any, level: Any, confidence: float = CONFIDENCE) -> tuple[Any, Any]:
    """The central ``confidence`` of the coverage of ``rows`` independent rows at ``level``: lowest and highest share."""
    from scipy.stats import binom  # a second to import

    tail = (1 - confidence) / 2
    low, high = (binom.ppf(share, rows, level) / np.maximum(rows, 1) for share in (tail, 1 - tail))
    return low, high


def covered(inside: npt.NDArray[np.bool_], group: npt.NDArray[np.intp], level: float, confidence: float = CONFIDENCE) -> Coverage:
    """The coverage of rows, ``inside`` (n,) their intervals or not, of the groups ``group`` (n,), places from 0.

    Rows of one group hit and miss together, so n of them tell less than n independent ones: the variance of their sum over
    groups, divided by the binomial one, is the design effect (Kish 1965), at least 1, and n / design effect rows stand in
    the binomial bound. As that variance is estimated, from few groups badly, the effect is raised by the squared ratio of
    Student's t to the normal quantile (Korn and Graubard 1998). Rows of a single group are worth one row.
    """
    rows, share = len(inside), float(inside.mean())
    effect = _design_effect(inside, group, share, confidence)
    low, high = binomial_bounds(max(int(rows / effect), 1), level, confidence)
    plain_low, plain_high = binomial_bounds(rows, level, confidence)
    return Coverage(rows, level, share, float(low), float(high), float(plain_low), float(plain_high), effect)


def _design_effect(inside: npt.NDArray[np.bool_], group: npt.NDArray[np.intp], share: float, confidence: float) -> float:
    from scipy.stats import t  # a second to import

    sums = np.bincount(group, weights=inside - share)
    groups = np.count_nonzero(np.bincount(group))
    if groups == 1:
        return float(len(inside))
    binomial = len(inside) * share * (1 - share)
    if not binomial:
        return 1.0
    few = float(t.ppf(0.5 + confidence / 2, groups - 1) / t.ppf(0.5 + confidence / 2, len(inside) - 1)) ** 2
    return max(1.0, few * groups / (groups - 1) * float(sums @ sums) / binomial)


def _rounded(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value
