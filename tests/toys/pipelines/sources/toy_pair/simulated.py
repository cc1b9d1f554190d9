"""Prompts with three answers each, every two of them compared: an answer stands in two pairs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

START = datetime(2025, 1, 6, 9, tzinfo=UTC)
TOPICS = ("cooking", "travel", "work")
KIND = ("good", "helpful", "wonderful", "clear", "lovely", "great")
UNKIND = ("bad", "awful", "useless", "wrong", "boring", "terrible")
ANSWERS = 3
UNJUDGED = 4


def simulate(*, seed: int, prompts: int) -> pl.DataFrame:
    """Three pairs a prompt, the sides in random order; nobody has judged those of the last four prompts."""
    rng = np.random.default_rng(seed)
    rows = [row for prompt in range(prompts) for row in _pairs(prompt, rng)]
    times = {"asked_at": pl.Datetime("us", "UTC"), "labelled_at": pl.Datetime("us", "UTC")}
    unjudged = pl.col("prompt_id") >= f"p{prompts - UNJUDGED:03d}"
    judged = [pl.when(~unjudged).then(name).alias(name) for name in ("labelled_at", "preferred")]
    return pl.DataFrame(rows, schema_overrides=times).with_columns(judged)


def _pairs(prompt: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    kindness = rng.permutation(np.linspace(0.15, 0.85, ANSWERS))
    texts = [_answer(share, rng) for share in kindness]
    return [
        _pair(prompt, place, rng.permutation(pair).tolist(), kindness, texts, rng)
        for place, pair in enumerate(combinations(range(ANSWERS), 2))
    ]


def _pair(prompt: int, place: int, sides: list[int], kindness: Any, texts: list[str], rng: np.random.Generator) -> dict[str, Any]:
    a, b = sides
    asked = START + timedelta(days=prompt, hours=place)
    kinder = kindness[a] - kindness[b] + 0.15 * rng.standard_normal() > 0
    return {
        "row_id": f"p{prompt:03d}-{place}",
        "prompt_id": f"p{prompt:03d}",
        "topic": TOPICS[prompt % len(TOPICS)],
        "answer_a": f"p{prompt:03d}-answer{a}",
        "answer_b": f"p{prompt:03d}-answer{b}",
        "text_a": texts[a],
        "text_b": texts[b],
        "asked_at": asked,
        "labelled_at": asked + timedelta(hours=float(rng.integers(1, 40))),
        "preferred": "a" if kinder else "b",
    }


def _answer(kindness: float, rng: np.random.Generator) -> str:
    chosen = [str(rng.choice(KIND if rng.random() < kindness else UNKIND)) for _ in range(rng.integers(4, 9))]
    return f"It is {', '.join(chosen)} and so on."
