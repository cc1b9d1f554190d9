"""The labels of a reflection: what its text shows, what only the author's state explains, and noise."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sources.perception.grammar import emotions
from pipelines.sources.perception.grammar.author_state import change_from_past

Floats = NDArray[np.float64]
TARGETS = ("valence", "arousal", "willingness", "congruence", "comparator", "invoked", "expressed")
_SIBLING_NOISE, _ANY_NOISE = 0.08, 0.03


def affect_labels(text: Floats, mood: Floats, rng: np.random.Generator) -> Floats:
    """Valence or arousal, 0 to 1: 0.58 of the standardised visible part, 0.52 of the hidden, 0.50 noise."""
    return _rating(0.58 * _standardised(text) + 0.52 * mood + 0.50 * rng.standard_normal(len(text)))


def willingness_labels(help_said: Floats, trait: Floats, mood: Floats, rng: np.random.Generator) -> Floats:
    """Willingness to seek help, 0 to 1: help sought or refused in the text, own openness, the mood."""
    return _rating(0.9 * help_said + 0.55 * trait + 0.2 * mood + 0.45 * rng.standard_normal(len(mood)))


def congruence_labels(agreement: Floats, sarcasm: Floats, trait: Floats, rng: np.random.Generator) -> Floats:
    """Agreement of the invoked and the expressed emotion, 0 to 1, from that of `emotion_agreement`."""
    shown = 2.0 * agreement - 1.0 - 0.5 * sarcasm
    return _rating(shown + 0.35 * trait + 0.4 * rng.standard_normal(len(agreement)))


def comparator_labels(author: NDArray[np.int64], text: Floats, mood_change: Floats, rng: np.random.Generator) -> Floats:
    """How the author compares today with the own past, 0 to 1 (0.5 is no change): change of mood and tone."""
    shown = _standardised(text)
    tone_change = change_from_past(author, shown, np.zeros(int(author.max()) + 1))
    return _rating(0.9 * mood_change + 0.35 * tone_change + 0.4 * rng.standard_normal(len(author)))


def emotion_agreement(invoked: NDArray[np.int64], expressed: NDArray[np.int64]) -> Floats:
    """1 for the same leaf, 0.6 for the same core, 0.15 else."""
    same_core = emotions.CORE_OF[invoked] == emotions.CORE_OF[expressed]
    return np.where(invoked == expressed, 1.0, np.where(same_core, 0.6, 0.15))


def perceived(emotion: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.str_]:
    """The emotion as a labeller names it: in 8 % of the rows any leaf of its core, in 3 % any leaf at all."""
    roll, leaves = rng.random(len(emotion)), len(emotions.NAMES)
    sibling = emotions.draw((emotions.CORE_OF[emotion][:, None] == emotions.CORE_OF).astype(float), rng)
    anything = rng.integers(0, leaves, len(emotion))
    near = np.where(roll < _ANY_NOISE + _SIBLING_NOISE, sibling, emotion)
    named = np.where(roll < _ANY_NOISE, anything, near)
    return np.asarray(np.array(emotions.NAMES)[named])


def hidden_until_labelled(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every target null where `labelled_at` is null."""
    return frame.with_columns(pl.when(pl.col("labelled_at").is_not_null()).then(pl.col(TARGETS)))


def _standardised(values: Floats) -> Floats:
    spread = float(values.std())
    return np.asarray((values - values.mean()) / (spread if spread > 0 else 1.0))


def _rating(score: Floats) -> Floats:
    """A rating to three decimals, as from a slider: the logistic curve of 1.1 times the score."""
    return np.asarray(np.round(1.0 / (1.0 + np.exp(-1.1 * score)), 3))
