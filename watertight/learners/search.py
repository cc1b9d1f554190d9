"""Search for a model's options by Optuna, inside the rows that it is fitted on, with whole groups in the inner folds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watertight.core.caches import default_root
from watertight.core.cell import Search
from watertight.core.digests import json_digest
from watertight.core.errors import Refusal
from watertight.learners.family import Learner, Outputs
from watertight.learners.inner_folds import Fold, inner_folds
from watertight.learners.matrix import Matrix

Build = Callable[[Mapping[str, Any]], Learner]
LOSSES: dict[str, Callable[[npt.NDArray[Any], Outputs], npt.NDArray[np.float64]]] = {
    "scalar": lambda y, told: (y - told["mean"]) ** 2,
    "vector": lambda y, told: ((y - told["vector"]) ** 2).sum(axis=1),
    "class": lambda y, told: -np.log(np.clip(told["probabilities"][np.arange(len(y)), y], 1e-12, 1)),
}


@dataclass(frozen=True)
class Searching:
    """A declared search for ``what``, a name of the family and its declared options.

    Trials are kept in a journal of Optuna's under the cache root, named by everything that decides them: an interrupted
    search goes on where it stopped, and one that was finished is not done again. The sampler is seeded anew for each
    trial by how many are complete, so a resumed search asks what an undisturbed one would have asked.
    """

    what: Mapping[str, Any]
    declared: Search

    def best(
        self, build: Build, x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64], kind: str, seed: int
    ) -> dict[str, Any]:
        """The options with the least weighted loss over the inner folds: squared error, or log loss for a class.

        Raises Refusal where the rows are of fewer than two groups, or where no trial has a finite loss.
        """
        study = self._study(_digest(x, y, weight), seed)
        folds = list(inner_folds(x, self.declared.folds))
        loss = lambda options: _loss(build, options, folds, x, y, weight, kind, seed)  # noqa: E731
        while len(done := _finished(study)) < self.declared.trials:
            self._try(study, seed * self.declared.trials + len(done), loss)
        scored = [trial for trial in done if trial.value is not None]
        if not scored:
            raise Refusal(
                f"none of {len(done)} trials of family {self.what['family']!r} has a finite loss",
                expected="options in `search` with which the family can be fitted",
                next_step="narrow the space, or look at the options of the family",
            )
        return dict(min(scored, key=lambda trial: (trial.value, trial.number)).params)

    def _study(self, rows: str, seed: int) -> Any:
        import optuna  # half a second to import
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        key = json_digest([dict(self.what), self.declared.model_dump(mode="json"), rows, seed, optuna.__version__])
        place = default_root() / "searches" / f"{key[:32]}.journal"
        place.parent.mkdir(parents=True, exist_ok=True)
        storage = JournalStorage(JournalFileBackend(str(place)))
        return optuna.create_study(study_name=key, storage=storage, load_if_exists=True)

    def _try(self, study: Any, seed: int, loss: Callable[[Mapping[str, Any]], float]) -> None:
        import optuna

        study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=False)
        trial = study.ask()
        study.tell(trial, loss({name: _asked(trial, name, within) for name, within in sorted(self.declared.space.items())}))


def _asked(trial: Any, name: str, within: Any) -> Any:
    if isinstance(within, tuple):
        return trial.suggest_categorical(name, list(within))
    suggest = trial.suggest_int if isinstance(within.low, int) and isinstance(within.high, int) else trial.suggest_float
    return suggest(name, within.low, within.high, log=within.log)


def _loss(
    build: Build, options: Mapping[str, Any], folds: Sequence[Fold], x: Matrix, y: Any, weight: Any, kind: str, seed: int
) -> float:
    """Weighted mean loss of the options' models over the inner folds."""
    losses = np.empty(len(y))
    for fitted, held in folds:
        learner = build(options).fit(x.at(fitted), y[fitted], weight[fitted], seed=seed)
        losses[held] = LOSSES[kind](y[held], learner.predict(x.at(held)))
    return float(np.average(losses, weights=weight))


def _finished(study: Any) -> list[Any]:
    """Trials that ended, those with a loss that is no number (their value is None) among them."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]


def _digest(x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64]) -> str:
    """Of everything that a fit reads."""
    digest = hashlib.sha256(json_digest([x.names, {name: list(texts) for name, texts in x.texts.items()}]).encode())
    units = [np.asarray([] if of is None else of).astype(np.str_) for of in (x.groups, x.blocks)]
    for part in (x.values, y, weight, *units):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
