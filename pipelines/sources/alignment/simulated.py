"""Captions of images, both already embedded: what a caption says of an image moves the image's vector, not along straight lines.

An image has a content, a point near one of some themes. Each of its captions tells of it in part, with noise, and a text encoder
turns that into a narrow cone of vectors. The image's vector bends the content, in two layers, and adds what no caption tells: a
few directions of large variance (light, framing), a mean that all images share, and noise. So the nearest vectors are not the
likeliest: who weighs all directions alike, as squared error and cosine do, follows what says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]

START = datetime(2025, 1, 6, 9, tzinfo=UTC)
THEMES = 24
CONTENT = 16
STYLES = 12
TOLD = 0.35
"""The standard deviation of what a caption says, about the content of its image."""
MIXED_UP = 2 / 3
"""Of the wrong pairs, the share that came with a whole image. Single strays cost a model little: they are no system."""
BLOCK = 4096
FACTORS: tuple[Sequence[str], ...] = (
    ("red", "navy", "olive", "cream", "black", "mustard", "lilac", "grey"),
    ("linen", "denim", "ribbed", "lace", "quilted", "satin", "knitted", "corduroy"),
    ("dress", "shirt", "jacket", "skirt", "jumper", "coat", "trousers", "scarf"),
    ("for the beach", "for the office", "for a wedding", "for the mountains", "for rainy days", "for the evening"),
)
"""What words a caption may have; each factor is told by two numbers of what the caption says."""


def simulate(
    *, seed: int, images: int, captions: int, text_dimension: int, image_dimension: int, wrong_pairs: float
) -> pl.DataFrame:
    """A row per caption, ``captions`` an image; ``wrong_pairs``, in [0, 1), is the share that was written for another image.

    ``text_vector`` and ``image`` are unit vectors of ``text_dimension`` and ``image_dimension`` Float32 numbers. ``similarity``,
    about -1 to 1, is what a third model thinks of the pair. The same seed gives the same images, and the same captions to
    those that are right, whatever the share of wrong ones.
    """
    drawn = _World(np.random.default_rng([seed, 0]), text_dimension, image_dimension)
    content, vectors = drawn.images(images, np.random.default_rng([seed, 1]))
    own = np.repeat(np.arange(images), captions)
    of = _written_for(own, images, wrong_pairs, np.random.default_rng([seed, 2]))
    chance = np.random.default_rng([seed, 3])
    said = content[of] + TOLD * chance.standard_normal((len(own), CONTENT))
    likeness = _cosines(said, content[own])
    asked = pl.Series([START + timedelta(minutes=int(image)) for image in own], dtype=pl.Datetime("us", "UTC"))
    texts = [_words(row) for row in said]
    ids = [f"c{image:06d}-{place % captions}" for place, image in enumerate(own)]
    return pl.DataFrame(
        {
            "row_id": ids,
            "caption_id": ids,
            "image_id": [f"i{image:06d}" for image in own],
            "text": texts,
            "text_vector": _lists(drawn.texts(said, chance)),
            "image": _lists(vectors.astype(np.float32)[own]),
            "similarity": np.round(0.1 + 0.2 * likeness + 0.08 * chance.standard_normal(len(own)), 4),
            "asked_at": asked,
            "labelled_at": asked + timedelta(days=1),
            "words": [len(text.split()) for text in texts],
            "written_for": np.where(of == own, "this image", "another"),
        }
    )


@dataclass(frozen=True)
class _Bend:
    """Two layers, of random weights that keep the scale: (n, in) to (n, out)."""

    first: Floats
    shift: Floats
    second: Floats

    @classmethod
    def drawn(cls, chance: np.random.Generator, inputs: int, hidden: int, outputs: int, steep: float) -> _Bend:
        return cls(
            steep * chance.standard_normal((inputs, hidden)) / np.sqrt(inputs),
            chance.standard_normal(hidden),
            chance.standard_normal((hidden, outputs)) / np.sqrt(hidden),
        )

    def of(self, values: Floats) -> Floats:
        return np.tanh(values @ self.first + self.shift) @ self.second


class _World:
    """What turns contents into images and words into vectors; drawn once."""

    def __init__(self, chance: np.random.Generator, text_dimension: int, image_dimension: int) -> None:
        self.themes = chance.standard_normal((THEMES, CONTENT))
        self.seen = _Bend.drawn(chance, CONTENT, 2 * CONTENT, image_dimension, 2.0)
        self.read = _Bend.drawn(chance, CONTENT, 8 * CONTENT, text_dimension, 0.7)
        self.styles = chance.standard_normal((STYLES, image_dimension)) * np.linspace(0.8, 0.2, STYLES)[:, None]
        self.image_mean, self.text_mean = (chance.standard_normal(size) for size in (image_dimension, text_dimension))

    def images(self, count: int, chance: np.random.Generator) -> tuple[Floats, Floats]:
        """Contents (count, CONTENT), and unit vectors (count, dimension)."""
        content = 0.6 * self.themes[chance.integers(THEMES, size=count)] + chance.standard_normal((count, CONTENT))
        style = chance.standard_normal((count, STYLES)) @ self.styles
        noise = 0.3 * chance.standard_normal((count, len(self.image_mean)))
        return content, _unit(self.seen.of(content) + style + self.image_mean + noise)

    def texts(self, said: Floats, chance: np.random.Generator) -> npt.NDArray[np.float32]:
        """Unit vectors (n, dimension), in blocks."""
        found = np.empty((len(said), len(self.text_mean)), dtype=np.float32)
        for start in range(0, len(said), BLOCK):
            part = self.read.of(said[start : start + BLOCK])
            found[start : start + BLOCK] = _unit(part + self.text_mean + 0.05 * chance.standard_normal(part.shape))
        return found


def _written_for(own: npt.NDArray[np.int64], images: int, share: float, chance: np.random.Generator) -> npt.NDArray[np.int64]:
    """The image that each caption was written for: two wrong ones in three came with all the captions of another image."""
    strangers = (own + chance.integers(1, images, size=images)[own]) % images
    mixed_up = (chance.random(images) < MIXED_UP * share)[own]
    strayed = chance.random(len(own)) < (1 - MIXED_UP) * share / (1 - MIXED_UP * share)
    others = (own + chance.integers(1, images, size=len(own))) % images
    return np.where(mixed_up, strangers, np.where(strayed, others, own))


def _words(said: Floats) -> str:
    """Of each factor the word at the angle of its two numbers; one that lies near the middle is left out."""
    found = []
    for place, words in enumerate(FACTORS):
        x, y = said[2 * place : 2 * place + 2]
        if np.hypot(x, y) > 0.35 or place == 2:
            found.append(words[int((np.arctan2(y, x) / (2 * np.pi) + 0.5) * len(words)) % len(words)])
    return " ".join(found)


def _cosines(left: Floats, right: Floats) -> Floats:
    return np.sum(_unit(left) * _unit(right), axis=1)


def _unit(values: Floats) -> Floats:
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def _lists(values: npt.NDArray[np.floating]) -> pl.Series:
    return pl.Series(np.ascontiguousarray(values, dtype=np.float32)).cast(pl.List(pl.Float32))
