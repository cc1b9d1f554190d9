"""Captions of images: what is seen and where, told three ways; an image's vector is the sum of the two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

START = datetime(2025, 1, 6, 9, tzinfo=UTC)
SEEN = ("dog", "horse", "guitar", "bicycle", "cake", "train")
PLACES = ("on the beach", "in the kitchen", "in the snow", "at the station")
TOLD = ("a {} {}", "a photograph of a {} {}", "somebody looks at a {} {} in the evening light")
DIMENSION = 8


def simulate(*, seed: int, images: int) -> pl.DataFrame:
    """Three captions an image, all written at once; the image's vector is known a day later."""
    rng = np.random.default_rng(seed)
    seen, places = rng.standard_normal((len(SEEN), DIMENSION)), rng.standard_normal((len(PLACES), DIMENSION))
    rows = [row for image in range(images) for row in _captions(image, seen, places, rng)]
    times = {"asked_at": pl.Datetime("us", "UTC"), "labelled_at": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema_overrides=times)


def _captions(image: int, seen: Any, places: Any, rng: np.random.Generator) -> list[dict[str, Any]]:
    what, where = rng.integers(len(SEEN)), rng.integers(len(PLACES))
    vector = seen[what] + places[where] + 0.1 * rng.standard_normal(DIMENSION)
    texts = [told.format(SEEN[what], PLACES[where]) for told in TOLD]
    asked = START + timedelta(days=image)
    return [
        {
            "row_id": f"i{image:03d}-{place}",
            "caption_id": f"i{image:03d}-{place}",
            "image_id": f"i{image:03d}",
            "text": text,
            "words": len(text.split()),
            "asked_at": asked,
            "labelled_at": asked + timedelta(days=1),
            "image": vector.tolist(),
        }
        for place, text in enumerate(texts)
    ]
