"""A reference and a new drop: rows by groups with features, texts, labels and vectors, clean until tampered with."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from watertight.checks.suite import Check, judge
from watertight.checks.verdict import CheckResult
from watertight.core.contract import Target

FEATURES = ("v__size", "v__share", "v__count", "v__flag", "v__kind", "v__vector")
TARGETS = {
    "mood": Target(kind="scalar", range=(-3, 3)),
    "kind": Target(kind="class", classes=("x", "y", "z")),
    "image": Target(kind="vector", dimension=2),
}
NEW = pl.col("drop") == "new"
SENTENCES = [
    "i went to the shop and it was a good day for me",
    "the day was long and i was tired of the work that i do",
    "it is a quiet evening and i think of what we said to them",
    "we had a talk about the house and that was good for all of us",
]


def drops(seed: int = 0, before: int = 150, after: int = 80) -> pl.DataFrame:
    """Some six rows a group, ten groups on both sides; what a group writes and is resembles itself."""
    rng = np.random.default_rng(seed)
    names = [np.arange(before), np.arange(before - 10, before - 10 + after)]
    group = np.concatenate([np.repeat(side, rng.poisson(5, len(side)) + 1) for side in names])
    new = np.cumsum(np.diff(group, prepend=0) < 0) > 0
    effect = rng.standard_normal((group.max() + 1, 24))[group]
    own = rng.standard_normal((len(group), 24))
    mixed = np.sqrt(0.3) * effect + np.sqrt(0.7) * own
    return pl.DataFrame(
        {
            "row_id": [f"r{number}" for number in range(len(group))],
            "group_id": [f"g{one}" for one in group],
            "drop": np.where(new, "new", "old"),
            "synthetic": False,
            "v__size": mixed[:, 0],
            "v__share": np.where(mixed[:, 1] < 0.8, 0.0, mixed[:, 1]),
            "v__count": np.floor(np.abs(mixed[:, 2]) * 2).astype(int),
            "v__flag": mixed[:, 3] > 0.5,
            "v__kind": np.array(["a", "b", "c"])[np.digitize(mixed[:, 4], [-0.5, 1.0])],
            "v__vector": pl.Series(mixed[:, 8:].astype(np.float32)).cast(pl.List(pl.Float32)),
            "text": [" ".join(rng.choice(SENTENCES, max(1, round(3 + one)))) for one in mixed[:, 5]],
            "mood": np.clip(mixed[:, 6], -3, 3),
            "kind": np.array(["x", "y", "z"])[np.digitize(mixed[:, 7], [-0.5, 0.5])],
        }
    ).with_columns(pl.when(pl.int_range(pl.len()) % 7 > 0).then(pl.col("mood", "kind")))


def answered(check: str, frame: pl.DataFrame, reference: tuple[str, ...] | None = ("old",), **kwargs: Any) -> CheckResult:
    """What the check of this type says of the frame."""
    beside = {"features": FEATURES, "targets": TARGETS, "reference": reference}
    return judge("unit", frame, [Check(type=check, kwargs=kwargs)], **beside).results[0]


def changed(frame: pl.DataFrame, where: pl.Expr = NEW, **columns: pl.Expr | object) -> pl.DataFrame:
    """The frame with these columns changed in the rows ``where``."""
    asked = {name: one if isinstance(one, pl.Expr) else pl.lit(one) for name, one in columns.items()}
    return frame.with_columns(pl.when(where).then(one).otherwise(pl.col(name)).alias(name) for name, one in asked.items())
