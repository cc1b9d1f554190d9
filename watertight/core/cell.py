"""A cell: one idea to fit, the matrix of seeds and data versions that it may stand for, and the search for its options."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from watertight.core.declare import Declaration

Seed = Annotated[int, Field(ge=0)]


class Range(Declaration):
    """Numbers from ``low`` to ``high``, whole where both are; ``log`` searches them by their logarithm."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _rises(self) -> Range:
        if self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError("a range goes from low to a higher high, and from above 0 where it is log")
        return self


class Search(Declaration):
    """A search for options inside the rows of each fit: ``trials`` in all, each judged over ``folds`` inner folds by group.

    ``space`` gives, per option, a range or a list to choose from. ``sampler``: ``tpe`` asks where others did well (Bergstra et
    al. 2011), ``random`` anywhere. ``prune``: a trial ends after an inner fold where it does worse than half of the others
    did up to there. ``workers``: trials that are asked together and fitted side by side; another number asks others.
    """

    trials: int = Field(gt=0)
    folds: int = Field(default=3, ge=2)
    sampler: Literal["tpe", "random"] = "tpe"
    prune: bool = False
    workers: int = Field(default=1, ge=1)
    space: dict[str, Range | tuple[Any, ...]] = Field(min_length=1)


class Cell(Declaration):
    """One idea to fit: a family of models over the features of some views (``all`` for every view of the service).

    ``seed``: the one that it is fitted with, whatever the seeds of the others are. ``seeds`` and ``data`` make it a matrix: it
    stands for a cell per pair of them (:mod:`watertight.core.cell_matrix`). ``data`` names treatments, each a version of the
    rows; ``whole`` is the rows as they are.

    ``columns`` adds single joined features by name, ``texts`` text columns or entity keys of the rows, ``over`` the out-of-fold
    predictions of other cells, of those that have the target. ``treatments`` names what is done to the rows of each fit, in
    this order. ``options`` override the family's own; ``search`` looks for
    the best of some; ``targets`` limits the cell to some targets.
    """

    family: str
    views: tuple[str, ...] | Literal["all"] = ()
    columns: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    options: dict[str, Any] = {}
    treatments: tuple[str, ...] = ()
    search: Search | None = None
    targets: tuple[str, ...] | None = None
    seed: Seed | None = None
    seeds: tuple[Seed, ...] | None = Field(default=None, min_length=1)
    data: tuple[str, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _seeded_once(self) -> Cell:
        if self.seed is not None and self.seeds is not None:
            raise ValueError("a cell has one seed, or seeds")
        for name, given in (("seeds", self.seeds), ("data", self.data)):
            if given and len(set(given)) < len(given):
                raise ValueError(f"{name} names one twice: {', '.join(map(str, given))}")
        return self

    @property
    def is_matrix(self) -> bool:
        """Whether it stands for several cells."""
        return self.seeds is not None or self.data is not None
