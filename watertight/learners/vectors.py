"""What is demanded of true vectors that are compared by direction."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from watertight.core.errors import Refusal


def demand_vectors(y: npt.NDArray[Any], dimension: int | None, family: str) -> npt.NDArray[np.float64]:
    """The lengths, (n,), of ``y``, (n, dimension); Refusal unless each is of finite numbers, of which one is not 0."""
    if y.ndim != 2 or (dimension is not None and y.shape[1] != dimension):
        raise Refusal(
            f"family {family!r} was given vectors of shape {y.shape[1:]}",
            expected=f"{dimension} numbers each, as the contract says",
            next_step="mend the source; nothing was fitted",
        )
    lengths = np.linalg.norm(y.astype(np.float64), axis=1)
    bad = ~np.isfinite(lengths) | (lengths == 0)
    if bad.any():
        raise Refusal(
            f"family {family!r}: {bad.sum()} true vector(s) have no direction, first at place {int(np.argmax(bad))} of the rows",
            expected="finite numbers, of which at least one is not 0",
            next_step="mend the source, or leave the rows out; nothing was fitted",
        )
    return lengths
