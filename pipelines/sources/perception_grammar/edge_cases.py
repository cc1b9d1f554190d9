"""Which reflections are edge cases: exact counts, drawn by weight, so that they cluster in the authors they fit."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

EDGE_CASES: dict[str, int] = {
    "sarcasm": 1200,
    "suicidal_ideation": 600,
    "self_harm": 400,
    "abuse": 800,
    "profanity": 1200,
    "sociopathic": 400,
    "financial_coercion": 600,
}
"""Rows of each edge case among REFERENCE_ROWS; other sizes get the same share, rounded half to even."""
HINGLISH_ROWS = 1500
REFERENCE_ROWS = 5200

Flags = dict[str, NDArray[np.bool_]]


def scaled(count: int, rows: int) -> int:
    """How many of `rows` correspond to `count` of the reference size."""
    return round(count * rows / REFERENCE_ROWS)


def draw_flags(author: NDArray[np.int64], mood: NDArray[np.float64], rng: np.random.Generator) -> pl.DataFrame:
    """A Boolean column an edge case, in the order of EDGE_CASES; low mood and an author's leaning make them likelier."""
    authors = int(author.max()) + 1
    fragile, home, wit, crude, cold = rng.standard_normal((5, authors))[:, author]
    flags: Flags = {}
    draw = _Draw(flags, rng)
    draw("suicidal_ideation", 1.0 * fragile - 0.6 * mood)
    draw("self_harm", 1.0 * fragile - 0.4 * mood + 1.0 * flags["suicidal_ideation"])
    draw("abuse", 1.2 * home - 0.2 * mood)
    draw("financial_coercion", 0.8 * home + 1.0 * flags["abuse"])
    draw("sociopathic", 1.6 * cold - 1.0 * flags["suicidal_ideation"])
    draw("sarcasm", 0.9 * wit - 2.0 * (flags["suicidal_ideation"] | flags["self_harm"]))
    draw("profanity", 1.0 * crude + 0.5 * flags["sarcasm"])
    return pl.DataFrame({name: flags[name] for name in EDGE_CASES})


def draw_language(author: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.str_]:
    """`hinglish` for the scaled count of rows, else `en`; mostly an author's trait, some authors write both."""
    leaning = rng.standard_normal(int(author.max()) + 1)[author] + 0.15 * rng.standard_normal(len(author))
    return np.where(_highest(leaning, scaled(HINGLISH_ROWS, len(author))), "hinglish", "en")


def risk_level(flags: pl.DataFrame, tone: pl.Series) -> pl.Series:
    """`high` for suicidal ideation, self-harm or abuse; `medium` for coercion, coldness or a very dark text; else `low`."""
    high = flags["suicidal_ideation"] | flags["self_harm"] | flags["abuse"]
    medium = flags["financial_coercion"] | flags["sociopathic"] | (tone < -0.65)
    return pl.select(pl.when(high).then(pl.lit("high")).when(medium).then(pl.lit("medium")).otherwise(pl.lit("low")))[
        :, 0
    ].alias("risk_level")


class _Draw:
    """Weighted sampling without replacement by the Gumbel-top-k trick (Kool et al. 2019), written into `flags`."""

    def __init__(self, flags: Flags, rng: np.random.Generator) -> None:
        self._flags, self._rng = flags, rng

    def __call__(self, name: str, log_weight: NDArray[np.float64]) -> None:
        noisy = log_weight + self._rng.gumbel(size=len(log_weight))
        self._flags[name] = _highest(noisy, scaled(EDGE_CASES[name], len(log_weight)))


def _highest(score: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    chosen = np.zeros(len(score), dtype=bool)
    chosen[np.argsort(-score, kind="stable")[:count]] = True
    return chosen
