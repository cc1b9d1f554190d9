"""The two-level hierarchy of emotion: six cores (Ekman), each with three or four leaves on the circumplex."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Affect(NamedTuple):
    """Where an emotion lies on the circumplex (Russell 1980): valence and arousal, each from -1 to 1."""

    valence: float
    arousal: float


EMOTIONS: dict[str, Affect] = {
    "joy/contentment": Affect(0.6, -0.4),
    "joy/gratitude": Affect(0.7, -0.1),
    "joy/pride": Affect(0.7, 0.3),
    "joy/excitement": Affect(0.8, 0.8),
    "sadness/loneliness": Affect(-0.6, -0.4),
    "sadness/grief": Affect(-0.8, -0.1),
    "sadness/disappointment": Affect(-0.5, -0.2),
    "sadness/hopelessness": Affect(-0.9, -0.5),
    "anger/irritation": Affect(-0.4, 0.4),
    "anger/resentment": Affect(-0.6, 0.2),
    "anger/rage": Affect(-0.8, 0.9),
    "fear/insecurity": Affect(-0.5, 0.1),
    "fear/anxiety": Affect(-0.5, 0.6),
    "fear/dread": Affect(-0.7, 0.6),
    "surprise/amazement": Affect(0.6, 0.7),
    "surprise/confusion": Affect(-0.2, 0.3),
    "surprise/shock": Affect(-0.4, 0.8),
    "disgust/shame": Affect(-0.6, -0.1),
    "disgust/contempt": Affect(-0.5, 0.1),
    "disgust/revulsion": Affect(-0.7, 0.4),
}
NAMES: tuple[str, ...] = tuple(EMOTIONS)
CORES: tuple[str, ...] = tuple(dict.fromkeys(name.split("/")[0] for name in NAMES))
VALENCE: NDArray[np.float64] = np.array([affect.valence for affect in EMOTIONS.values()])
AROUSAL: NDArray[np.float64] = np.array([affect.arousal for affect in EMOTIONS.values()])
CORE_OF: NDArray[np.int64] = np.array([CORES.index(name.split("/")[0]) for name in NAMES])


def draw(weights: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """One emotion a row, as positions in `NAMES`, (n,), drawn by non-negative `weights`, (n, emotions)."""
    cumulated = np.cumsum(weights, axis=1)
    threshold = rng.random(len(weights)) * cumulated[:, -1]
    below = (cumulated <= threshold[:, None]).sum(axis=1)
    return np.asarray(np.minimum(below, len(NAMES) - 1))


def near(valence: NDArray[np.float64], arousal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights, shape (n, emotions): a Gaussian kernel of the distance on the circumplex, width 0.3."""
    squared = (valence[:, None] - VALENCE) ** 2 + (arousal[:, None] - AROUSAL) ** 2
    return np.asarray(np.exp(-squared / (2 * 0.3**2)) + 1e-4)
