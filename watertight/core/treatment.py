"""What a cell may do to the rows that it is fitted on: leave some out, make others, weigh them. All declared, and counted."""

from __future__ import annotations

from math import inf
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from watertight.core.declare import Declaration


class _LowLabels(Declaration):
    """``labels``: the closed range from which the label of a made row is drawn, uniformly, in the target's unit."""

    labels: tuple[float, float]

    @model_validator(mode="after")
    def _rises(self) -> _LowLabels:
        if not -inf < self.labels[0] <= self.labels[1] < inf:
            raise ValueError("labels are [lowest, highest], both finite")
        return self


class Mismatched(_LowLabels):
    """Negative sampling: a row with all that is known of ``entity``, one of its keys, taken from a row of another group.

    ``share``: rows made, as a share of the real ones that a model is fitted on. ``taken``: how much of the other row is taken,
    drawn uniformly; of less than 1 the numbers are mixed, and so is the label, of its parent's and the low one (Zhang et al.
    2018, mixup): half of a stranger's answer costs half.
    """

    step: Literal["mismatched"]
    entity: str
    share: float = Field(gt=0)
    taken: tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]] = (1.0, 1.0)

    @model_validator(mode="after")
    def _takes_more_and_more(self) -> Mismatched:
        if self.taken[0] > self.taken[1]:
            raise ValueError("taken is [least, most]")
        return self


class Noisy(_LowLabels):
    """A row whose vectors of ``entity`` are turned by Gaussian noise and keep their length.

    ``scale``: the standard deviation of the noise, in root mean squares of the vectors' numbers. ``share``: as in Mismatched.
    """

    step: Literal["noisy"]
    entity: str
    share: float = Field(gt=0)
    scale: float = Field(default=1.0, gt=0)


class Oversampled(Declaration):
    """Rows of rare labels are repeated until each of ``bins`` bins of equal width has ``to`` of the fullest one's rows.

    A row is repeated at most ``most`` times; an empty bin stays empty. A class is a bin of its own.
    """

    step: Literal["oversampled"]
    bins: int = Field(default=11, ge=2)
    to: float = Field(default=0.5, gt=0, le=1)
    most: int = Field(default=50, ge=1)


class Smoothed(Declaration):
    """Label-distribution smoothing: rows weigh the inverse of the density of their label (Yang et al. 2021).

    The density is that of ``bins`` bins of equal width under a Gaussian of ``width`` bins; classes are bins in their order.
    """

    step: Literal["smoothed"]
    bins: int = Field(default=11, ge=2)
    width: float = Field(default=1.0, gt=0)


class Filtered(Declaration):
    """Rows are left out by their score, the less the worse. It makes none, and stands before the steps that do.

    The score is the number in ``by``, a column of the rows; or what a model of ``family`` makes of the row, cross-fitted over
    inner folds by group within the rows of the fit, on what the cell reads: of a vector the cosine of prediction and truth, of
    a scalar less the squared error. ``most``: the rows of each group that stay, the strongest. ``drop``: the share of all rows
    that goes, the worst, rounded down; a group may lose all of its rows. Of equal scores the first by row_id stays.
    """

    step: Literal["filtered"]
    by: str | None = None
    family: str | None = None
    options: dict[str, Any] = {}
    most: int | None = Field(default=None, ge=1)
    drop: float | None = Field(default=None, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_of_each(self) -> Filtered:
        if (self.by is None) == (self.family is None):
            raise ValueError("a filter scores by one of `by`, a column of the rows, and `family`, a model")
        if (self.most is None) == (self.drop is None):
            raise ValueError("a filter has one of `most`, rows of each group that stay, and `drop`, the share that goes")
        if self.options and self.family is None:
            raise ValueError("options are those of `family`, which is not given")
        return self


Step = Annotated[Mismatched | Noisy | Oversampled | Smoothed | Filtered, Field(discriminator="step")]

EXCHANGING = (Mismatched, Noisy)
"""The steps that make rows with other features of an entity."""
