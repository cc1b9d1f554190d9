"""The families by name. A new family is a file beside this one and a line here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from watertight.core.contract import Target
from watertight.core.declare import pick
from watertight.core.errors import Misuse
from watertight.learners.baselines import Column, Mean
from watertight.learners.blend import Blend
from watertight.learners.boosting import Boosting
from watertight.learners.calibrated import Calibrated
from watertight.learners.cca import Cca
from watertight.learners.conformal import Conformal
from watertight.learners.family import Learner
from watertight.learners.knn import Knn
from watertight.learners.level_mean import LevelMean
from watertight.learners.linear import Linear
from watertight.learners.mlp import Mlp
from watertight.learners.procrustes import Procrustes
from watertight.learners.projector import Projector
from watertight.learners.random_intercept import RandomIntercept
from watertight.learners.selected import Selected
from watertight.learners.tfidf import Tfidf

FAMILIES: dict[str, type[Learner]] = {
    "lightgbm": Boosting,
    "linear": Linear,
    "mlp": Mlp,
    "knn": Knn,
    "mean": Mean,
    "level_mean": LevelMean,
    "procrustes": Procrustes,
    "cca": Cca,
    "projector": Projector,
    "column": Column,
    "blend": Blend,
    "calibrated": Calibrated,
    "conformal": Conformal,
    "random_intercept": RandomIntercept,
    "selected": Selected,
    "tfidf": Tfidf,
}


def build(family: str, name: str, target: Target, options: dict[str, Any]) -> Learner:
    """An unfitted model for the target called ``name``; raises Misuse where the family does not fit its kind."""
    kind = pick(FAMILIES, family, "family")
    if target.kind not in kind.kinds:
        raise Misuse(f"family {family!r} does not fit {name!r}, a {target.kind}", expected=f"one of {', '.join(kind.kinds)}")
    told = {key: value.format(target=name) if isinstance(value, str) else value for key, value in options.items()}
    return kind.declared(target, told)


def load(family: str, folder: Path) -> Learner:
    """A saved model; nothing in ``folder`` is executed."""
    return pick(FAMILIES, family, "family").load(folder)
