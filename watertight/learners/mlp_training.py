"""How the multilayer perceptron is fitted: one cycle of AdamW, stopped by rows of other groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watertight.core.errors import Refusal
from watertight.learners.inner_folds import Fold
from watertight.learners.mlp_losses import judge_of, loss_of
from watertight.learners.mlp_network import Network
from watertight.learners.mlp_options import WITH_VARIANCE, MlpOptions

Floats = npt.NDArray[np.float32]
NOISE_PACE = 10.0
"""How much faster than a weight the one log-variance of ``balanced_mse`` may move."""


@dataclass(frozen=True)
class Rows:
    """Standardised rows as tensors: x (n, columns), y (n,), weight (n,), each above 0."""

    x: Any
    y: Any
    weight: Any

    def at(self, places: Any) -> Rows:
        """The rows at ``places``."""
        return Rows(self.x[places], self.y[places], self.weight[places])


def trained(x: Floats, y: Floats, weight: Floats, fold: Fold, options: MlpOptions, seed: int) -> dict[str, Floats]:
    """The parameters of the epoch with the least loss on the fold's held-out rows, fitted on its others; see ``Network``.

    ``x`` (n, columns), ``y`` and ``weight`` (n,): standardised, without NaN. On the processor in float32 by one thread, and by
    generators of its own, so that fits side by side give what they give alone; where there is a GPU, there, its products in
    bfloat16, and then bits depend on the device. Raises Refusal where the loss is never finite.
    """
    import torch  # heavy, needed only where networks are fitted

    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    every = Rows(*(torch.from_numpy(part).to(device) for part in (x, y, weight)))
    fitted, held = (every.at(torch.from_numpy(places).to(device)) for places in fold)
    return _Fit(options, x.shape[1], torch.Generator(device).manual_seed(seed)).run(fitted, held)


class _Fit:
    """A network, the log-variance of the noise that ``balanced_mse`` learns, and the generator of all draws."""

    def __init__(self, options: MlpOptions, columns: int, chance: Any) -> None:
        import torch

        self.options, self.chance = options, chance
        outputs = 2 if options.loss in WITH_VARIANCE else 1
        self.network = Network((columns, *options.hidden), outputs, options.loss == "faithful", chance)
        self.noise = torch.zeros((), device=chance.device, requires_grad=True)

    def run(self, fitted: Rows, held: Rows) -> dict[str, Floats]:
        """Fit, and give the best epoch's parameters."""
        best, kept, since = np.inf, {}, 0
        optimizer, schedule = self._optimizer(self._steps(fitted))
        held = held.at(self._drawn(held))
        for _ in range(self.options.epochs):
            self._epoch(fitted, optimizer, schedule)
            loss = self.judged(held)
            since += 1
            if loss < best:
                best, kept, since = loss, self.network.arrays(), 0
            if since >= self.options.patience:
                break
        if not kept:
            raise Refusal(
                "the loss of family 'mlp' is no number", expected="a fit that converges", next_step="a smaller learning_rate"
            )
        return kept

    def judged(self, held: Rows) -> float:
        """The loss on rows that were held out, without dropout."""
        import torch

        with torch.no_grad():
            parts = [
                held.at(places) for places in torch.arange(len(held.y), device=held.y.device).tensor_split(self._steps(held))
            ]
            losses = [float(self._loss(part, 0.0, judge_of(self.options)) * part.weight.sum()) for part in parts]
        return sum(losses) / float(held.weight.sum())

    def _epoch(self, rows: Rows, optimizer: Any, schedule: Any) -> None:
        for places in self._drawn(rows).tensor_split(self._steps(rows)):
            optimizer.zero_grad()
            self._loss(rows.at(places), self.options.dropout, self.options).backward()
            optimizer.step()
            schedule.step()

    def _loss(self, rows: Rows, dropout: float, options: MlpOptions) -> Any:
        import torch

        device = self.chance.device.type
        # Around each pass alone: what was cast stays in its cache until it ends, and would outlive a step.
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            mean, log_variance = self.network(rows.x, dropout)
        return loss_of(options, mean, self.noise if log_variance is None else log_variance, rows.y, rows.weight)

    def _optimizer(self, steps: int) -> tuple[Any, Any]:
        import torch

        options, network = self.options, self.network
        pace = [options.learning_rate, options.learning_rate, NOISE_PACE * options.learning_rate]
        parts = [{"params": network.weights}, {"params": network.biases}, {"params": [self.noise]}]
        decays = (options.weight_decay, 0.0, 0.0)
        optimizer = torch.optim.AdamW([{**part, "weight_decay": decay} for part, decay in zip(parts, decays)])
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, pace, total_steps=steps * options.epochs)

    def _steps(self, rows: Rows) -> int:
        """Batches of an epoch, all about equally large."""
        return max(1, len(rows.y) // self.options.batch)

    def _drawn(self, rows: Rows) -> Any:
        import torch

        return torch.randperm(len(rows.y), generator=self.chance, device=self.chance.device)
