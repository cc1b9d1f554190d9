"""What each reflection is about: valence and arousal of the situation, emotions, and how much is written."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sources.perception.grammar import emotions

Floats = NDArray[np.float64]
_CEILING = {
    "suicidal_ideation": -0.75,
    "self_harm": -0.65,
    "abuse": -0.55,
    "financial_coercion": -0.4,
    "sarcasm": -0.4,
}
_MASK_RATE = 0.12
_NOT_IN_JEST = ("sadness/grief", "sadness/hopelessness", "fear/dread")


def draw_situations(mood: Floats, energy: Floats, flags: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """A row a reflection: `situation`, `liveliness` (-1 to 1), `invoked`, `expressed` (positions in NAMES).

    A little of the mood shows in what happens to people (0.3), and edge cases are about dark situations.
    """
    usual = 0.35 + 0.3 * mood + 0.5 * rng.standard_normal(len(mood))
    situation = np.minimum(usual, _ceiling(flags, rng)).clip(-1, 1)
    liveliness = (0.1 + 0.2 * energy + 0.5 * rng.standard_normal(len(mood))).clip(-1, 1)
    sarcasm = flags["sarcasm"].to_numpy()
    invoked = emotions.draw(emotions.near(situation, liveliness) * _allowed(sarcasm), rng)
    expressed = _expressed(invoked, sarcasm, rng)
    return pl.DataFrame({"situation": situation, "liveliness": liveliness, "invoked": invoked, "expressed": expressed})


def draw_lengths(flags: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Words to aim at and not to exceed, `target` and `cap` Int64: up to 25, up to 160, or more.

    Rows with three edge cases or more are not short. Sentences that an edge case needs may pass the cap.
    """
    kind = rng.choice(3, len(flags), p=[0.56, 0.34, 0.10])
    crowded = flags.select(pl.sum_horizontal(pl.all().cast(pl.Int64))).to_series().to_numpy() > 2
    kind = np.where((kind == 0) & crowded, 1, kind)
    short = rng.integers(8, 26, len(flags))
    medium = 28 + (120 * rng.beta(1.2, 2.2, len(flags))).astype(np.int64)
    long = rng.integers(172, 280, len(flags))
    target, cap = np.choose(kind, [short, medium, long]), np.choose(kind, [25, 160, 320])
    return pl.DataFrame({"target": target, "cap": cap})


def _ceiling(flags: pl.DataFrame, rng: np.random.Generator) -> Floats:
    limits = [np.where(flags[name].to_numpy(), limit, np.inf) for name, limit in _CEILING.items()]
    return np.asarray(np.minimum.reduce(limits)) + 0.15 * rng.standard_normal(len(flags))


def _allowed(sarcasm: NDArray[np.bool_]) -> Floats:
    """Nobody jokes about some emotions, and there is nothing to be sarcastic about in a good situation."""
    in_jest = np.array([name not in _NOT_IN_JEST for name in emotions.NAMES]) & (emotions.VALENCE < 0)
    return np.where(sarcasm[:, None], in_jest, True).astype(float)


def _expressed(invoked: NDArray[np.int64], sarcasm: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
    """The invoked emotion; under sarcasm 70 % a joyful, else a sour one; some wear a mask."""
    rows = len(invoked)
    joyful = np.char.startswith(np.array(emotions.NAMES), "joy/")
    sour = np.isin(np.array(emotions.NAMES), ["disgust/contempt", "anger/irritation"])
    ironic = np.where(rng.random(rows) < 0.7, _any_of(joyful, rows, rng), _any_of(sour, rows, rng))
    near_by = emotions.near(emotions.VALENCE[invoked], emotions.AROUSAL[invoked]) + 0.02
    masked = np.where(rng.random(rows) < _MASK_RATE, emotions.draw(near_by, rng), invoked)
    return np.where(sarcasm, ironic, masked)


def _any_of(members: NDArray[np.bool_], rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.choice(np.flatnonzero(members), rows)
