"""The network of the projector: in torch while it is fitted, in NumPy when it predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Floats = npt.NDArray[np.float32]
Kept = npt.NDArray[np.bool_]
Tensor = Any
NEAR_ZERO = 1e-5
"""What is added to a layer's variance before it is divided by it."""
LEVELS = 256
"""How many values a random number has that says whether a unit is left out: one byte's."""


class Network:
    """Hidden layers, each a product, LayerNorm, GELU and dropout, and a linear head; beside them, perhaps, a straight path.

    ``parameters``: ``weight0`` (columns, width), ``bias0``, ``gain0`` and ``shift0`` (width,), …, the head's ``weight<depth>``
    and ``bias<depth>``, and ``path`` (columns, outputs) where there is one; all float32. Every draw is from its own generators.
    """

    def __init__(
        self, widths: Sequence[int], path: Floats | None, bias: Floats, dropout: float, seed: int, device: Any = "cpu"
    ) -> None:
        """``widths``: of the input, the hidden layers and the output. ``path`` and the head's ``bias`` are where these start.

        Beside a path the head starts at 0, so that the network first says what the path says. ``dropout``, below 1: the share
        of each hidden layer that is left out in training, to the nearest of 256.
        """
        import torch  # heavy, needed only where networks are fitted

        self.depth, self.left_out, self.bytes = len(widths) - 2, min(round(dropout * LEVELS), LEVELS - 1), np.random.SFC64(seed)
        chance = torch.Generator(device).manual_seed(seed)
        draw = lambda rows, columns: torch.randn(rows, columns, generator=chance, device=device)  # noqa: E731
        self.parameters: dict[str, Any] = {}
        for at, (rows, columns) in enumerate(pairwise(widths)):
            last = at == self.depth
            start = torch.zeros(rows, columns, device=device) if last and path is not None else draw(rows, columns) / rows**0.5
            self.parameters[f"weight{at}"] = start
            self.parameters[f"bias{at}"] = torch.from_numpy(bias).to(device) if last else torch.zeros(columns, device=device)
            if not last:
                self.parameters[f"gain{at}"] = torch.ones(columns, device=device)
                self.parameters[f"shift{at}"] = torch.zeros(columns, device=device)
        if path is not None:
            self.parameters["path"] = torch.from_numpy(path).to(device)
        self.parameters = {name: of.clone().requires_grad_(True) for name, of in self.parameters.items()}

    def __call__(self, x: Tensor, kept: Sequence[Kept] = ()) -> Tensor:
        """Vectors (rows, outputs). ``kept``: of each hidden layer, (rows, width), as ``drawn``; nothing is left out of none."""
        import torch

        of, z = self.parameters, x
        for at in range(self.depth):
            z = torch.addmm(of[f"bias{at}"], z, of[f"weight{at}"])
            z = torch.nn.functional.layer_norm(z, z.shape[1:], of[f"gain{at}"], of[f"shift{at}"], NEAR_ZERO)
            z = torch.nn.functional.gelu(z)
            z = z * _scaled(kept[at], self.left_out, x.device) if kept else z
        told = torch.addmm(of[f"bias{self.depth}"], z, of[f"weight{self.depth}"])
        return torch.addmm(told, x, of["path"]) if "path" in of else told

    def drawn(self, rows: int) -> list[Kept]:
        """Which units of each hidden layer are kept for a batch of ``rows``."""
        widths = [len(self.parameters[f"bias{at}"]) for at in range(self.depth)]
        return [self._kept(rows, width) for width in widths] if self.left_out else []

    def _kept(self, rows: int, width: int) -> Kept:
        """A byte of a random number for each unit, drawn by NumPy: torch needs as long for it as for a small layer."""
        numbers = self.bytes.random_raw(-(-rows * width // 8)).view(np.uint8)[: rows * width]
        return numbers.reshape(rows, width) >= self.left_out

    def arrays(self) -> dict[str, Floats]:
        """The parameters as they are now, copied."""
        return {name: of.detach().cpu().numpy().copy() for name, of in self.parameters.items()}


def _scaled(kept: Kept, left_out: int, device: Any) -> Tensor:
    """0 where a unit is left out, and where it is kept what makes up for those."""
    import torch

    return torch.from_numpy(np.multiply(kept, np.float32(LEVELS / (LEVELS - left_out)), dtype=np.float32)).to(device)


def forward(x: Floats, arrays: Mapping[str, Floats]) -> Floats:
    """What the saved network says of ``x``, (rows, columns): (rows, outputs).

    A row's answer does not depend on the rows beside it: each is multiplied as a matrix of one row, as in ``mlp_network``.
    """
    depth = sum(name.startswith("gain") for name in arrays)
    rows = np.ascontiguousarray(x)[:, None, :]
    z = rows
    for at in range(depth):
        z = z @ arrays[f"weight{at}"] + arrays[f"bias{at}"]
        z = z - z.mean(axis=2, keepdims=True)
        z = z / np.sqrt(np.square(z).mean(axis=2, keepdims=True) + np.float32(NEAR_ZERO))
        z = z * arrays[f"gain{at}"] + arrays[f"shift{at}"]
        z = z * ndtr(z)
    told = z @ arrays[f"weight{depth}"] + arrays[f"bias{depth}"]
    return (told + rows @ arrays["path"] if "path" in arrays else told)[:, 0, :]
