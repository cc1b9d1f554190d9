"""How the projector is fitted: AdamW along a half cosine, stopped by how images of other groups are ranked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watertight.core.errors import Refusal
from watertight.core.ranks import Gallery, ranks
from watertight.learners.gradient_caching import backward
from watertight.learners.inner_folds import Fold
from watertight.learners.projector_losses import cosine, infonce
from watertight.learners.projector_network import Network
from watertight.learners.projector_options import ProjectorOptions
from watertight.learners.ridge_path import Floats, ridge_paths


@dataclass(frozen=True)
class Pairs:
    """Standardised rows and the directions of their true vectors, as tensors or arrays.

    ``x`` (n, columns); ``true`` (images, d), of length 1, each different; ``own`` (n,), the place of a row's among them;
    ``weight`` (n,), each above 0.
    """

    x: Any
    true: Any
    own: Any
    weight: Any

    def at(self, places: Any) -> Pairs:
        """The rows at ``places``, before all true vectors."""
        return Pairs(self.x[places], self.true, self.own[places], self.weight[places])

    def on(self, device: Any) -> Pairs:
        """The same as tensors."""
        import torch  # heavy, needed only where networks are fitted

        return Pairs(*(torch.from_numpy(part).to(device) for part in (self.x, self.true, self.own, self.weight)))


class Judge:
    """Of vectors for rows held out: the weighted mean of 1 / rank of the own true vector among all of theirs."""

    def __init__(self, held: Pairs) -> None:
        there, own = np.unique(held.own, return_inverse=True)
        self.gallery = Gallery(held.true[there], own)
        self.weight = held.weight

    def __call__(self, vectors: npt.NDArray[Any]) -> float:
        """In (0, 1]; NaN where a vector is no numbers."""
        if not np.isfinite(vectors).all():
            return math.nan
        return float(np.average(1 / ranks(vectors, self.gallery), weights=self.weight))


def trained(pairs: Pairs, fold: Fold, options: ProjectorOptions, seed: int) -> dict[str, Floats]:
    """The parameters, see ``Network``, of the epoch that ranks the fold's held-out rows best, fitted on its others.

    On the processor in float32 by one thread, and by generators of their own, so that fits side by side give what they give
    alone; where there is a GPU, there, its products in bfloat16, and then bits depend on the device. Raises Refusal where the
    loss is not finite.
    """
    import torch

    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    fitted, held = (pairs.at(places) for places in fold)
    return _Fit(options, fitted, held, seed, device).run()


class _Fit:
    """A network, the temperature, and the order of the rows."""

    def __init__(self, options: ProjectorOptions, fitted: Pairs, held: Pairs, seed: int, device: Any = "cpu") -> None:
        import torch

        self.options, self.judge, self.order = options, Judge(held), np.random.default_rng(seed)
        widths = (fitted.x.shape[1], *options.hidden, fitted.true.shape[1])
        path, bias = None, np.zeros(widths[-1], dtype=np.float32)
        if options.residual:
            starts = ridge_paths(fitted.x, fitted.true[fitted.own], fitted.weight)
            path, bias = max(starts, key=lambda start: self.judge(held.x @ start[0] + start[1]))
        self.network = Network(widths, path, bias, options.dropout, seed, device)
        self.log_scale = torch.full((), -math.log(options.temperature), device=device, requires_grad=True)
        self.fitted, self.held = fitted.on(device), held.on(device)
        self.mixed = self.fitted.x.device.type == "cuda"

    def run(self) -> dict[str, Floats]:
        """Fit, and give the best epoch's parameters."""
        optimizer, schedule = self._optimizer()
        best, kept, since = -math.inf, {}, 0
        for _ in range(self.options.epochs):
            self._epoch(optimizer, schedule)
            found, since = self.judged(), since + 1
            if found > best:
                best, kept, since = found, self.network.arrays(), 0
            if since >= self.options.patience:
                break
        return kept

    def judged(self) -> float:
        """How the rows held out are ranked, without dropout."""
        import torch

        with torch.no_grad():
            return self.judge(self._vectors(self.held.x).cpu().numpy())

    def _epoch(self, optimizer: Any, schedule: Any) -> Any:
        """One pass over the rows; the loss of each batch, (batches,)."""
        import torch

        drawn = torch.from_numpy(self.order.permutation(len(self.fitted.x))).to(self.fitted.x.device)
        losses = []
        for places in drawn.tensor_split(self._steps()):
            optimizer.zero_grad()
            losses.append(self._backward(self.fitted.at(places)))
            optimizer.step()
            schedule.step()
        told = torch.stack(losses)
        if not told.isfinite().all():
            raise Refusal(
                "the loss of family 'projector' is no number",
                expected="a fit that converges",
                next_step="a smaller learning_rate",
            )
        return told

    def _backward(self, rows: Pairs) -> Any:
        """The loss of a batch, whose gradient is added to the parameters."""
        kept = self.network.drawn(len(rows.x))
        passed = lambda part: self._vectors(rows.x[part], [of[part] for of in kept])  # noqa: E731
        there, own = rows.own.unique(return_inverse=True)
        true = rows.true[there]
        return backward(passed, lambda vectors: self._loss(vectors, true, own, rows.weight), len(rows.x), self.options.chunk)

    def _loss(self, vectors: Any, true: Any, own: Any, weight: Any) -> Any:
        if self.options.loss == "cosine":
            return cosine(vectors, true, own, weight)
        return infonce(vectors, true, own, weight, self.log_scale)

    def _vectors(self, x: Any, kept: Any = ()) -> Any:
        import torch

        # Around each pass alone: what was cast stays in its cache until it ends, and would outlive a step.
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=self.mixed):
            return self.network(x, kept).float()

    def _optimizer(self) -> tuple[Any, Any]:
        import torch

        options, of = self.options, self.network.parameters
        matrices = [of[name] for name in of if of[name].ndim == 2]
        numbers = [of[name] for name in of if of[name].ndim < 2] + [self.log_scale]
        parts = [{"params": matrices, "weight_decay": options.weight_decay}, {"params": numbers, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(parts, lr=options.learning_rate, fused=True)
        steps = self._steps() * options.epochs
        return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: pace(step, steps, options.warm_up))

    def _steps(self) -> int:
        """Batches of an epoch, all about equally large."""
        return max(1, len(self.fitted.x) // self.options.batch)


def pace(step: int, steps: int, warm_up: float) -> float:
    """The share of the learning rate at ``step``, from 0, of ``steps``: up in a line, down along a half cosine."""
    rising = warm_up * steps
    if step < rising:
        return (step + 1) / (rising + 1)
    return (1 + math.cos(math.pi * (step - rising) / max(1.0, steps - rising))) / 2
