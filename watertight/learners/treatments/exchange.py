"""Rows with other features of one entity than they had, and every interaction of them made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from watertight.core.interactions import recomputed
from watertight.learners.matrix import Matrix
from watertight.learners.treatments.served import Served, places_of
from watertight.learners.treatments.treated import Base, Floats, Places

Vectors = Mapping[str, npt.NDArray[np.float32]]


def exchanged(base: Base, parent: Places, partner: Places, taken: Floats, entity: str, served: Served) -> Matrix:
    """The rows at ``parent`` with the columns and texts of ``entity`` of the rows at ``partner``.

    ``taken``, (rows,): how much of the partner's numbers is taken, 0 to 1; its text is where it is more than half.
    """
    served.demand_made_again(base.x)
    served.demand_exchange(base.x, entity)
    columns = served.of_entity(entity)
    x = base.x.at(parent)
    values = x.values.copy()
    for column in columns:
        places = places_of(x, column)
        values[:, places] = _mixed(values[:, places], base.x.values[np.ix_(partner, places)], taken)
    mine = served.texts.get(entity, ())
    told = np.where(taken > 0.5, partner, parent)
    texts = {name: [base.x.texts[name][row] for row in told] if name in mine else kept for name, kept in x.texts.items()}
    vectors = {name: base.vectors[name][parent] for name in served.bases}
    vectors |= {name: _mixed(own, base.vectors[name][partner], taken) for name, own in vectors.items() if name in columns}
    return _with_interactions(replace(x, values=values, texts=texts), vectors, columns, served)


def _mixed(own: npt.NDArray[np.float32], other: npt.NDArray[np.float32], taken: Floats) -> npt.NDArray[np.float32]:
    """``taken`` of the other's numbers, the rest of one's own; the other's alone, null or not, where all is taken."""
    share = taken[:, None].astype(np.float32)
    mixed: npt.NDArray[np.float32] = np.where(share < 1, (1 - share) * own + share * other, other)
    return mixed


def turned(base: Base, parent: Places, vectors: Vectors, entity: str, served: Served) -> Matrix:
    """The rows at ``parent`` with ``vectors`` (by joined column) in place of their own vectors of ``entity``."""
    served.demand_made_again(base.x)
    x = base.x.at(parent)
    values = x.values.copy()
    for column, turn in vectors.items():
        if len(places := places_of(x, column)):
            values[:, places] = turn
    bases = {name: vectors.get(name, base.vectors[name][parent]) for name in served.bases}
    return _with_interactions(replace(x, values=values), bases, tuple(vectors), served)


def _with_interactions(x: Matrix, vectors: Vectors, changed: tuple[str, ...], served: Served) -> Matrix:
    """``x`` with the interactions of ``changed`` vectors as the ``vectors`` of its rows make them."""
    specs = served.interactions_of(changed).items()
    read = {view: spec for view, spec in specs if any(len(places_of(x, f"{view}__{kind}")) for kind in spec.of)}
    values = x.values
    for column, made in recomputed(vectors, read).items():
        if len(places := places_of(x, column)):
            values[:, places] = made
    return x
