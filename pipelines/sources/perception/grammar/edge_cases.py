"""Which reflections are edge cases: exact counts, drawn by weight, so they cluster in fitting authors."""

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


def scaled(count: int, rows: int) -> int:
    """How many of `rows` correspond to `count` of the reference size."""
    return round(count * rows / REFERENCE_ROWS)


def draw_flags(author: NDArray[np.int64], mood: NDArray[np.float64], rng: np.random.Generator) -> pl.DataFrame:
    """A Boolean column an edge case, as in EDGE_CASES; low mood and own leanings make them likelier."""
    authors = int(author.max()) + 1
    fragile, home, wit, crude, cold = rng.standard_normal((5, authors))[:, author]
    flags: dict[str, NDArray[np.bool_]] = {}
    flags["suicidal_ideation"] = _drawn("suicidal_ideation", 1.0 * fragile - 0.6 * mood, rng)
    in_danger = flags["suicidal_ideation"]
    flags["self_harm"] = _drawn("self_harm", 1.0 * fragile - 0.4 * mood + 1.0 * in_danger, rng)
    flags["abuse"] = _drawn("abuse", 1.2 * home - 0.2 * mood, rng)
    flags["financial_coercion"] = _drawn("financial_coercion", 0.8 * home + 1.0 * flags["abuse"], rng)
    flags["sociopathic"] = _drawn("sociopathic", 1.6 * cold - 1.0 * in_danger, rng)
    flags["sarcasm"] = _drawn("sarcasm", 0.9 * wit - 2.0 * (in_danger | flags["self_harm"]), rng)
    flags["profanity"] = _drawn("profanity", 1.0 * crude + 0.5 * flags["sarcasm"], rng)
    return pl.DataFrame({name: flags[name] for name in EDGE_CASES})


def draw_language(author: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.str_]:
    """hinglish for the scaled count of rows, else en: mostly an author's trait, some write both."""
    leaning = rng.standard_normal(int(author.max()) + 1)[author] + 0.15 * rng.standard_normal(len(author))
    return np.where(_highest(leaning, scaled(HINGLISH_ROWS, len(author))), "hinglish", "en")


def risk_level(flags: pl.DataFrame, tone: pl.Series) -> NDArray[np.str_]:
    """high (suicidal ideation, self-harm, abuse), medium (coercion, coldness, a very dark text) or low."""
    high = flags["suicidal_ideation"] | flags["self_harm"] | flags["abuse"]
    medium = flags["financial_coercion"] | flags["sociopathic"] | (tone < -0.65)
    return np.select([high.to_numpy(), medium.to_numpy()], ["high", "medium"], "low")


def _drawn(name: str, log_weight: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Weighted sampling without replacement by the Gumbel-top-k trick (Kool, van Hoof and Welling 2019)."""
    return _highest(log_weight + rng.gumbel(size=len(log_weight)), scaled(EDGE_CASES[name], len(log_weight)))


def _highest(score: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    chosen = np.zeros(len(score), dtype=bool)
    chosen[np.argsort(-score, kind="stable")[:count]] = True
    return chosen
