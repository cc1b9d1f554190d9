"""LightGBM: gradient-boosted trees for scalars and classes, saved as its own text format."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from watertight.core.contract import Target
from watertight.learners.family import Options, Outputs, demand_features
from watertight.learners.inner_folds import inner_folds
from watertight.learners.matrix import Matrix
from watertight.learners.tree_text import demand_whole

MODEL = "model.txt"
INNER_FOLDS = 5


class BoostingOptions(Options):
    """LightGBM's own parameters, under its own names; threads, seeds and determinism are the platform's.

    ``patience``: how many rounds without a smaller loss on a fifth of the rows, whole groups or blocks, end the growing; by
    default ``rounds`` trees are grown without a look.
    """

    objective: Literal["regression", "regression_l1", "huber"] = "regression"
    rounds: int = Field(default=200, gt=0)
    learning_rate: float = Field(default=0.05, gt=0)
    num_leaves: int = Field(default=15, ge=2)
    min_data_in_leaf: int = Field(default=20, ge=1)
    feature_fraction: float = Field(default=0.5, gt=0, le=1)
    bagging_fraction: float = Field(default=0.8, gt=0, le=1)
    lambda_l2: float = Field(default=1.0, ge=0)
    max_bin: int = Field(default=63, ge=2)
    patience: int | None = Field(default=None, ge=1)


class Boosting:
    """LightGBM, one thread, deterministic: a fit depends on data, options and seed alone."""

    kinds: ClassVar[tuple[str, ...]] = ("scalar", "class")

    def __init__(self, options: BoostingOptions | None = None, classes: int = 0, text: str = "") -> None:
        self.options = options or BoostingOptions()
        self.classes = classes
        self.text = text
        self._booster: Any = None

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        return cls(BoostingOptions.of("lightgbm", options), len(target.classes or ()))

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64], *, seed: int) -> Self:
        """Grow ``rounds`` trees; with ``patience``, as many as were best for rows held out, then again on all rows.

        Best by the objective's own metric, weighted. With ``patience`` raises Misuse for rows without groups, Refusal for
        fewer than two groups.
        """
        import lightgbm  # heavy, needed only where trees are grown

        demand_features(x, "lightgbm")
        rounds = self._best_rounds(x, y, weight, seed) if self.options.patience else self.options.rounds
        booster = lightgbm.train(self._parameters(seed), _dataset(x, y, weight), num_boost_round=rounds)
        self.text = booster.model_to_string()
        self._booster = booster
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``mean`` for a scalar, ``probabilities`` for a class."""
        raw = np.asarray(self._loaded().predict(x.values, num_threads=1), dtype=np.float64)
        return {"probabilities": raw.reshape(-1, self.classes)} if self.classes else {"mean": raw}

    def save(self, folder: Path) -> None:
        """Write LightGBM's text format."""
        (folder / MODEL).write_text(self.text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read LightGBM's text format; the number of classes stands in it. Raises Refusal where it is not whole."""
        text = (folder / MODEL).read_text(encoding="utf-8")
        demand_whole(text)
        header = dict(line.split("=", 1) for line in text.splitlines()[:12] if "=" in line)
        classes = int(header["num_class"])
        return cls(classes=classes if classes > 1 else 0, text=text)

    def gains(self) -> npt.NDArray[np.float64]:
        """The total gain of the splits on each feature, (features,)."""
        return np.asarray(self._loaded().feature_importance("gain"), dtype=np.float64)

    def _best_rounds(self, x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64], seed: int) -> int:
        import lightgbm

        counted = weight > 0
        x, y, weight = x.at(counted), y[counted], weight[counted]
        fitted, held = next(inner_folds(x, INNER_FOLDS))
        data = _dataset(x.at(fitted), y[fitted], weight[fitted])
        stop = lightgbm.early_stopping(self.options.patience or 0, verbose=False)
        beside = data.create_valid(x.values[held], y[held], weight=weight[held])
        grown = lightgbm.train(self._parameters(seed), data, self.options.rounds, valid_sets=[beside], callbacks=[stop])
        return int(grown.best_iteration)

    def _loaded(self) -> Any:
        if self._booster is None:
            import lightgbm

            self._booster = lightgbm.Booster(model_str=self.text)
        return self._booster

    def _parameters(self, seed: int) -> dict[str, Any]:
        task = {"objective": "multiclass", "num_class": self.classes} if self.classes else {}
        return {
            **self.options.model_dump(exclude={"rounds", "patience"}),
            **task,
            "bagging_freq": 1,
            "seed": seed,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }


def _dataset(x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64]) -> Any:
    import lightgbm

    return lightgbm.Dataset(x.values, y, weight=weight, feature_name=[f"f{i}" for i in range(len(x.names))])
