"""Selected: the mean of the directions that some cells predict, which of them and how often chosen by forward selection."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.core.ranks import Gallery, directions, gallery
from watertight.core.tables import read_json, write_json
from watertight.learners.family import Options, Outputs
from watertight.learners.matrix import MEMBER, Matrix

MODEL = "model.json"
MOST_ROWS = 5_000
"""Rows that members are chosen on; of more, so many are taken at even distances. It bounds the memory: 100 MB a member."""
GAIN = 1e-9
FAR = np.float32(-4)
"""Below any difference of two cosines: what is so much farther than the own vector is before it in no sum of members."""

Floats = npt.NDArray[np.float64]
Near = npt.NDArray[np.float32]


class SelectedOptions(Options):
    """``rounds``: how often a member is added at most; the same one may be added again."""

    rounds: int = Field(default=25, ge=1)


class Selected:
    """Ensemble selection (Caruana et al. 2004), with replacement, by the mean reciprocal rank of each row's own vector.

    It begins with the best member and adds, each time, the one with which the mean of the chosen members' predictions, each
    at length 1, ranks best by cosine among the different vectors of the row's fold; until none is better, or ``rounds``. Vectors
    of other folds are no rivals: the members' models were fitted on them, and are drawn to them. Of members as good the first in
    ``over`` is taken. Rows count by their weight, those of weight 0 not at all. It is fitted on the members' out-of-fold
    predictions, as every cell over cells is.
    """

    kinds: ClassVar[tuple[str, ...]] = ("vector",)

    def __init__(self, options: SelectedOptions, counts: Mapping[str, int] | None = None, mrr: float = 0.0) -> None:
        self.options = options
        self.counts = dict(counts or {})
        self.mrr = mrr

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        return cls(SelectedOptions.of("selected", options))

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: Floats, *, seed: int) -> Self:
        """Choose members; ``seed`` is not needed.

        Raises Misuse where there are fewer than two, Refusal where a prediction of one is no number.
        """
        names = _members(x)
        counted = np.flatnonzero(weight > 0)
        places = counted[:: -(-len(counted) // MOST_ROWS)]
        among = gallery(y[places])
        rival = _rivals(among, np.zeros(len(y)) if x.folds is None else x.folds, places)
        nearer = [np.where(rival, _nearer(x, name, places, among), FAR) for name in names]
        chosen, self.mrr = _selected(nearer, weight[places], self.options.rounds)
        self.counts = {names[place].removeprefix(MEMBER): int(chosen.count(place)) for place in dict.fromkeys(chosen)}
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``vector``, of length 1; of members that were not chosen nothing is read."""
        told = [count * directions(x.block(f"{MEMBER}{name}").astype(np.float64)) for name, count in self.counts.items()]
        return {"vector": directions(np.sum(told, axis=0, dtype=np.float64)).astype(np.float64)}

    def save(self, folder: Path) -> None:
        """Write how often each chosen member counts, the rank that this reached, and the options, as JSON."""
        told = {"counts": list(self.counts.items()), "mrr": self.mrr, "options": self.options.model_dump(mode="json")}
        write_json(told, folder / MODEL)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        told = read_json(folder / MODEL)
        return cls(SelectedOptions.of("selected", told["options"]), dict(told["counts"]), told["mrr"])


def _members(x: Matrix) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.partition("[")[0] for name in x.members))
    if len(names) < 2:
        raise Misuse("there is nothing to select from", expected="`over: [cell, cell, …]` in its cell, at least two")
    return names


def _rivals(among: Gallery, folds: npt.NDArray[Any], places: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """(rows, gallery): whether a vector is one of the row's fold."""
    rival = np.zeros((len(places), len(among.vectors)), dtype=bool)
    for fold in np.unique(folds[places]):
        mine = np.flatnonzero(folds[places] == fold)
        rival[np.ix_(mine, np.unique(among.own[mine]))] = True
    return rival


def _nearer(x: Matrix, name: str, places: npt.NDArray[np.intp], among: Gallery) -> Near:
    """(rows, gallery): by how much each vector is nearer to a member's prediction than the row's own, as cosines."""
    told = x.block(name)[places]
    if not np.isfinite(told).all():
        raise Refusal(f"predictions of {name.removeprefix(MEMBER)!r} are not finite", expected="a vector of numbers in each row")
    near: Near = directions(told.astype(np.float64)) @ among.vectors.T
    near -= near[np.arange(len(near)), among.own][:, None]
    return near


def _selected(nearer: list[Near], weight: Floats, rounds: int) -> tuple[list[int], float]:
    """Places of members in the order in which they were added, and the mean reciprocal rank that they reach together.

    The cosine of a row's mean with a vector is the sum of its members' cosines over a length that is the same for the whole
    gallery: sums rank as the mean does.
    """
    behind, chosen, best = np.zeros_like(nearer[0]), list[int](), 0.0
    while len(chosen) < rounds:
        found = [_mrr(behind, one, weight) for one in nearer]
        place = int(np.argmax(found))
        if chosen and found[place] <= best + GAIN:
            break
        best = found[place]
        chosen.append(place)
        behind -= nearer[place]
    return chosen, best


def _mrr(behind: Near, more: Near, weight: Floats) -> float:
    """The weighted mean reciprocal rank by ``more`` less what lies ``behind``; vectors as near as the own share its place."""
    rank = 1.0 + np.count_nonzero(more > behind, axis=1)
    level = more == behind
    if np.count_nonzero(level) > len(rank):  # others than each row's own
        rank += (np.count_nonzero(level, axis=1) - 1) / 2
    return float(np.average(1 / rank, weights=weight))
