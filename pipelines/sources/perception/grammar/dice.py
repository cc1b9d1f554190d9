"""Cheap scalar draws from one numpy generator: buffered, so that a text of many small choices stays fast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_BUFFER = 8192


class Dice:
    """Choices by uniform draws, taken from `rng` in blocks: they depend on the generator's seed alone."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._draws = _uniforms(rng)

    def uniform(self) -> float:
        """A float in [0, 1)."""
        return next(self._draws)

    def chance(self, probability: float) -> bool:
        """True with the given probability (0 never, 1 always)."""
        return next(self._draws) < probability

    def pick(self, options: Sequence[T]) -> T:
        """One of `options`, each as likely as the others; an empty sequence raises IndexError."""
        return options[int(next(self._draws) * len(options))]

    def sample(self, options: Sequence[T], count: int) -> tuple[T, ...]:
        """`count` different members of `options`, in drawn order; all of them where there are fewer."""
        pool = list(options)
        return tuple(pool.pop(int(next(self._draws) * len(pool))) for _ in range(min(count, len(options))))


def _uniforms(rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield from rng.random(_BUFFER).tolist()
