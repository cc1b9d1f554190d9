"""A cell's treatment: its steps in their order, inside each fit, on the rows of that fit alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.core.treatment import EXCHANGING, Filtered, Mismatched, Step
from watertight.core.witness import root_id
from watertight.learners.catalogue import build
from watertight.learners.matrix import Matrix, feature_matrix
from watertight.learners.treatments.filtered import SCORED
from watertight.learners.treatments.make import made
from watertight.learners.treatments.served import Served
from watertight.learners.treatments.treated import NOBODY, REAL, Base, Floats, Places, Treated, as_given

BLOCKS = 5
MADE = {"row_id": pl.String, "parent_id": pl.String, "partner_id": pl.String, "step": pl.String, "label": pl.Float64}
"""A line per made row: ``parent_id`` and ``partner_id`` (null where there is none) are the real rows that it was made of."""


@dataclass(frozen=True)
class Treatment:
    """The steps of a cell, and what its columns are of. Without steps the rows are fitted on as they are."""

    steps: tuple[Step, ...] = ()
    served: Served = field(default_factory=Served)

    def of(self, rows: pl.DataFrame, x: Matrix, y: npt.NDArray[Any], weight: Floats, seed: int) -> tuple[Treated, pl.DataFrame]:
        """What a model is fitted on, and a line of ``MADE`` per row that was made, of the rows that the filters left.

        ``rows``: row_id, parent_id, group_id, synthetic, entity keys and the vectors that interactions are made of, of the
        very rows of ``x``. No other row is seen. Rows are made of two groups of one block (:class:`Matrix`). Raises Refusal
        where rows are to be made of fewer than four groups.
        """
        if not self.makers:
            return as_given(x, y, weight), pl.DataFrame(schema=MADE)
        base = self._base(rows, x, y)
        treated = as_given(base.x, y, weight)
        chance = np.random.default_rng(seed)
        for step in self.makers:
            treated = made(step, treated, base, self.served, chance)
        return treated, _lines(treated, rows)

    @property
    def filters(self) -> tuple[Filtered, ...]:
        """The steps that leave rows out; they come first."""
        return tuple(step for step in self.steps if isinstance(step, Filtered))

    @property
    def makers(self) -> tuple[Step, ...]:
        """The steps that make rows, or weigh them."""
        return tuple(step for step in self.steps if not isinstance(step, Filtered))

    @property
    def keys(self) -> tuple[str, ...]:
        """The entity keys whose features are exchanged."""
        return tuple(dict.fromkeys(step.entity for step in self.steps if isinstance(step, Mismatched)))

    @property
    def makes(self) -> bool:
        """Whether it makes rows of other features."""
        return any(isinstance(step, EXCHANGING) for step in self.steps)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of the rows that it needs, beside what the cell reads."""
        scores = (step.by for step in self.filters if step.by is not None)
        return ("row_id", "parent_id", "group_id", "synthetic", *self.keys, *scores, *(self.served.bases if self.makes else ()))

    def _base(self, rows: pl.DataFrame, x: Matrix, y: npt.NDArray[Any]) -> Base:
        groups = rows["group_id"].to_numpy().astype(np.str_)
        vectors = self.served.bases if self.makes else ()
        blocks = _blocks(groups) if self.makes else None
        return Base(
            replace(x, blocks=blocks),
            y,
            groups,
            blocks,
            {name: rows[name].fill_null("").to_numpy().astype(np.str_) for name in self.keys},
            {name: feature_matrix(rows, [name]).values for name in vectors},
            np.flatnonzero(~rows["synthetic"].to_numpy()),
        )


def demand_steps_fit(steps: Sequence[Step], name: str, target: Target) -> None:
    """Raise Misuse for steps that could not be taken for a target of this kind, or that make labels outside its range."""
    _demand_filters_fit(steps, name, target)
    for step in (step for step in steps if not isinstance(step, Filtered)):
        labels = step.labels if isinstance(step, EXCHANGING) else None
        if target.kind == "vector" or (labels and target.kind != "scalar"):
            raise Misuse(
                f"step {step.step!r} is not for {name!r}, a {target.kind}", expected="a scalar" if labels else "no vector"
            )
        if labels and target.range and not target.range[0] <= labels[0] <= labels[1] <= target.range[1]:
            raise Misuse(
                f"step {step.step!r} makes labels of {list(labels)}",
                expected=f"within the range of {name!r}, {list(target.range)}",
            )


def _demand_filters_fit(steps: Sequence[Step], name: str, target: Target) -> None:
    filters = [step for step in steps if isinstance(step, Filtered)]
    if tuple(filters) != tuple(steps[: len(filters)]):
        raise Misuse(
            "a step 'filtered' stands behind others", expected="filters first: rows are made of, and weighed with, those left"
        )
    for step in (step for step in filters if step.family is not None):
        if target.kind not in SCORED:
            raise Misuse(
                f"no model scores the rows of {name!r}, a {target.kind}", expected=f"one of {', '.join(SCORED)}, or `by`"
            )
        build(str(step.family), name, target, step.options)


def _blocks(groups: npt.NDArray[np.str_]) -> Places:
    """The block of each row: whole groups, at least two in each, dealt from the largest to the smallest, to and fro."""
    names, of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(names) < 4:
        raise Refusal(
            f"the training rows are of {len(names)} group(s)",
            column="group_id",
            expected="at least four, so that rows can be made of two of them apart from two others",
            next_step="bring rows of more groups, or leave the treatment out",
        )
    blocks = min(BLOCKS, len(names) // 2)
    turn = np.arange(len(names)) % (2 * blocks)
    dealt = np.empty(len(names), dtype=np.int64)
    dealt[np.argsort(-sizes, kind="stable")] = np.minimum(turn, 2 * blocks - 1 - turn)
    return dealt[of]


def _lines(treated: Treated, rows: pl.DataFrame) -> pl.DataFrame:
    """The made rows, each with the real rows that it was made of."""
    roots = rows.select(root_id()).to_series()
    places = [place for place, step in enumerate(treated.step) if step != REAL]
    parent, partner = (_named(roots, of[places]) for of in (treated.of, treated.partner))
    names = [f"{own}~{other or ''}~{number}" for number, (own, other) in enumerate(zip(parent, partner, strict=True))]
    told = [names, parent, partner, [treated.step[place] for place in places], treated.y[places].astype(np.float64).tolist()]
    return pl.DataFrame(dict(zip(MADE, told, strict=True)), schema=MADE)


def _named(roots: pl.Series, places: Places) -> Sequence[str | None]:
    return [None if place == NOBODY else roots[int(place)] for place in places]
