"""A matrix of cells: what is declared once stands for a cell per pair of a seed and a version of the data.

``net`` with ``seeds: [0, 1]`` and ``data: [whole, strongest]`` is ``net-whole-0``, ``net-whole-1``, ``net-strongest-0`` and
``net-strongest-1``, each an ordinary cell with a seed and treatments of its own. Of what was not declared the name has no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from watertight.core.cell import Cell

WHOLE = "whole"
"""The data version that is the rows as they are."""


def matrices(declared: Mapping[str, Cell]) -> dict[str, tuple[str, ...]]:
    """Of each cell that is a matrix, the names of those that it stands for: by data version, then by seed."""
    return {name: tuple(told for told, _ in _pairs(name, cell)) for name, cell in declared.items() if cell.is_matrix}


def ordinary(declared: Mapping[str, Cell]) -> dict[str, Cell]:
    """The declared cells, each matrix as the cells that it stands for; ``over`` names these too."""
    known = matrices(declared)
    every = ((told, one) for name, cell in declared.items() for told, one in _pairs(name, cell))
    return {name: cell.model_copy(update={"over": tuple(_spelt_out(cell.over, known))}) for name, cell in every}


def matrix_faults(declared: Mapping[str, Cell], treatments: Iterable[str]) -> Iterator[str]:
    """What cannot be: a treatment called ``whole``, and cells of a matrix that are called as another is."""
    if WHOLE in treatments:
        yield f"a treatment is called {WHOLE!r}, which is the name of the rows as they are"
    taken: dict[str, str] = {name: name for name, cell in declared.items() if not cell.is_matrix}
    for matrix, names in matrices(declared).items():
        for name in names:
            other = taken.setdefault(name, matrix)
            if other != matrix:
                yield f"cell {matrix!r} stands for {name!r}, and so does {other!r}: call one of them something else"


def _pairs(name: str, cell: Cell) -> Iterator[tuple[str, Cell]]:
    """The cells that a declared one stands for, itself where it is no matrix."""
    for data, seed in product(cell.data or (None,), cell.seeds or (None,)):
        parts = [name, *(str(part) for part in (data, seed) if part is not None)]
        first = () if data in (None, WHOLE) else (data,)
        fixed = {"seed": cell.seed if seed is None else seed, "treatments": (*first, *cell.treatments)}
        yield "-".join(parts), cell.model_copy(update={**fixed, "seeds": None, "data": None})


def _spelt_out(names: Iterable[str], known: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Names of cells, each once, a matrix as all of its own."""
    yield from dict.fromkeys(told for name in names for told in known.get(name, (name,)))
