"""Search for a model's options by Optuna, inside the rows that it is fitted on, with whole groups in the inner folds."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from watertight.core.caches import default_root
from watertight.core.cell import Search
from watertight.core.digests import json_digest
from watertight.core.errors import Refusal
from watertight.core.ranks import gallery, ranks
from watertight.learners.family import Learner, Outputs
from watertight.learners.inner_folds import Fold, inner_folds
from watertight.learners.matrix import Matrix

Build = Callable[[Mapping[str, Any]], Learner]
LOSSES: dict[str, Callable[[npt.NDArray[Any], Outputs], npt.NDArray[np.float64]]] = {
    "scalar": lambda y, told: (y - told["mean"]) ** 2,
    "vector": lambda y, told: _lost_ranks(told["vector"], y),
    "class": lambda y, told: -np.log(np.clip(told["probabilities"][np.arange(len(y)), y], 1e-12, 1)),
}


GIVEN_UP, PRUNED, REFUSED, LOSS = "given up", "pruned", "refused", "loss"
"""What is kept beside a trial: that it was cut off, that it was pruned, why it was refused, and its loss (null: no number)."""


@dataclass(frozen=True)
class Searching:
    """A declared search for ``what``, a name of the family and its declared options.

    Trials are kept in a journal of Optuna's under the cache root, named by everything that decides them: an interrupted
    search goes on where it stopped, and one that was finished is not done again. The sampler is seeded anew for each
    trial by how many ended before it, so a resumed search asks what an undisturbed one would have asked. Trials that are
    tried side by side are told together, in the order in which they were asked for: which one was faster decides nothing.
    """

    what: Mapping[str, Any]
    declared: Search

    def best(
        self, build: Build, x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64], kind: str, seed: int
    ) -> dict[str, Any]:
        """The options with the least weighted loss over the inner folds: squared error, log loss, 1 less the reciprocal rank.

        Raises Refusal where the rows are of fewer than two groups, or where no trial has a finite loss: a fit that is refused,
        since it does not converge, has none.
        """
        folds = list(inner_folds(x, self.declared.folds))
        losses = lambda options: _losses(build, options, folds, x, y, weight, kind, seed)  # noqa: E731
        key = self._key(_digest(x, y, weight), seed)
        with _alone(key), ThreadPoolExecutor(self.declared.workers) as pool:
            study = self._study(key)
            while len(done := _ended(study)) < self.declared.trials:
                trials = self._batch(study, len(done), seed)
                list(pool.map(lambda trial: self._try(trial, losses), trials))
                _tell(study, trials)
        scored = [trial for trial in done if trial.state.name == "COMPLETE"]
        if not scored:
            raise Refusal(
                f"none of {len(done)} trials of family {self.what['family']!r} has a finite loss{_reason(done)}",
                expected="options in `search` with which the family can be fitted",
                next_step="narrow the space, or look at the options of the family",
            )
        return dict(min(scored, key=lambda trial: (trial.value, trial.number)).params)

    def _key(self, rows: str, seed: int) -> str:
        """Of everything that decides the trials."""
        return json_digest([dict(self.what), self.declared.model_dump(mode="json"), rows, seed, version("optuna")])

    def _study(self, key: str) -> Any:
        import optuna  # half a second to import
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = JournalStorage(JournalFileBackend(str(_place(key, "journal"))))
        pruner = optuna.pruners.MedianPruner() if self.declared.prune else optuna.pruners.NopPruner()
        return optuna.create_study(study_name=key, storage=storage, load_if_exists=True, pruner=pruner)

    def _batch(self, study: Any, done: int, seed: int) -> list[Any]:
        """The trials that are next, asked for together.

        A batch is told when all of it has been tried. So where a part of one was told, the rest has been tried, and is not
        asked again; trials that were never tried to their end are given up, and asked anew.
        """
        import optuna

        size = self.declared.workers
        waiting = [optuna.trial.Trial(study, trial._trial_id) for trial in study.get_trials(deepcopy=False) if _waits(trial)]
        if done % size:
            return waiting
        for trial in waiting:
            trial.set_user_attr(GIVEN_UP, True)
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        first = seed * self.declared.trials + done
        return [self._ask(study, first + place) for place in range(min(size, self.declared.trials - done))]

    def _ask(self, study: Any, seed: int) -> Any:
        import optuna

        sampler = {
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed, constant_liar=self.declared.workers > 1),
            "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        }
        study.sampler = sampler[self.declared.sampler]()
        trial = study.ask()
        for name, within in sorted(self.declared.space.items()):
            _asked(trial, name, within)
        return trial

    def _try(self, trial: Any, losses: Callable[[Mapping[str, Any]], Iterator[float]]) -> None:
        """Fit the trial's models, fold by fold, and keep what came of it beside the trial."""
        if LOSS in trial.user_attrs:
            return
        pruned, loss = False, np.nan
        try:
            for step, loss in enumerate(losses(trial.params)):
                trial.report(loss, step)
                pruned = step + 1 < self.declared.folds and trial.should_prune()
                if pruned:
                    break
        except Refusal as refused:
            loss = np.nan
            trial.set_user_attr(REFUSED, str(refused).splitlines()[0])
        trial.set_user_attr(PRUNED, bool(pruned))
        trial.set_user_attr(LOSS, loss if np.isfinite(loss) else None)


def _place(key: str, kind: str) -> Path:
    folder = default_root() / "searches"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{key[:32]}.{kind}"


@contextmanager
def _alone(key: str) -> Iterator[None]:
    """Wait until no other process or thread does the same search; the lock of a process ends with it, however it ends."""
    with _place(key, "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _reason(trials: Sequence[Any]) -> str:
    """Why the last one was refused that was; nothing where none was."""
    told = [trial.user_attrs[REFUSED] for trial in trials if REFUSED in trial.user_attrs]
    return f"; the last that was refused: {told[-1]}" if told else ""


def _tell(study: Any, trials: Sequence[Any]) -> None:
    """What came of each, in the order in which they were asked for."""
    from optuna.trial import TrialState

    for trial in sorted(trials, key=lambda trial: trial.number):
        loss = trial.user_attrs[LOSS]
        state = TrialState.PRUNED if trial.user_attrs[PRUNED] else TrialState.FAIL if loss is None else TrialState.COMPLETE
        study.tell(trial, loss if state == TrialState.COMPLETE else None, state=state)


def _asked(trial: Any, name: str, within: Any) -> Any:
    if isinstance(within, tuple):
        return trial.suggest_categorical(name, list(within))
    suggest = trial.suggest_int if isinstance(within.low, int) and isinstance(within.high, int) else trial.suggest_float
    return suggest(name, within.low, within.high, log=within.log)


def _losses(
    build: Build, options: Mapping[str, Any], folds: Sequence[Fold], x: Matrix, y: Any, weight: Any, kind: str, seed: int
) -> Iterator[float]:
    """Weighted mean loss of the options' models over the inner folds up to each; the last is over all rows."""
    losses, known = np.zeros(len(y)), np.zeros(len(y), dtype=bool)
    for fitted, held in folds:
        learner = build(options).fit(x.at(fitted), y[fitted], weight[fitted], seed=seed)
        losses[held] = LOSSES[kind](y[held], learner.predict(x.at(held)))
        known[held] = True
        yield float(np.average(losses[known], weights=weight[known])) if weight[known].sum() > 0 else 0.0


def _ended(study: Any) -> list[Any]:
    """Trials that ended, those that were pruned or have a loss that is no number among them."""
    known = study.get_trials(deepcopy=False)
    return [trial for trial in known if trial.state.is_finished() and GIVEN_UP not in trial.user_attrs]


def _waits(trial: Any) -> bool:
    """Whether it was asked for and nothing was told of it yet."""
    return not trial.state.is_finished()


def _lost_ranks(told: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """1 less the reciprocal rank of each row's own vector among the different ones of the fold; NaN for what is no number."""
    return 1 - 1 / ranks(told, gallery(y))


def _digest(x: Matrix, y: npt.NDArray[Any], weight: npt.NDArray[np.float64]) -> str:
    """Of everything that a fit reads."""
    digest = hashlib.sha256(json_digest([x.names, {name: list(texts) for name, texts in x.texts.items()}]).encode())
    units = [np.asarray([] if of is None else of).astype(np.str_) for of in (x.groups, x.blocks, x.folds)]
    for part in (x.values, y, weight, *units):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
