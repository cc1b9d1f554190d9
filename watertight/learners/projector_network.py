"""The network of the projector: in torch while it is fitted, in NumPy when it predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Floats = npt.NDArray[np.float32]
Tensor = Any
NEAR_ZERO = 1e-5
"""What is added to a layer's variance before it is divided by it."""
LEVELS = 2**16
"""How finely a random number is drawn that says whether a unit is left out."""


class Network:
    """Hidden layers, each a product, LayerNorm, GELU and dropout, and a linear head; beside them, perhaps, a straight path.

    ``parameters``: ``weight0`` (columns, width), ``bias0``, ``gain0`` and ``shift0`` (width,), …, the head's ``weight<depth>``
    and ``bias<depth>``, and ``path`` (columns, outputs) where there is one; all float32.
    """

    def __init__(self, widths: Sequence[int], path: Floats | None, bias: Floats, chance: Any) -> None:
        """``widths``: of the input, the hidden layers and the output. ``path`` and the head's ``bias`` are where these start.

        Beside a path the head starts at 0, so that the network first says what the path says.
        """
        import torch  # heavy, needed only where networks are fitted

        self.depth, device = len(widths) - 2, chance.device
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

    def __call__(self, x: Tensor, kept: Sequence[Tensor] = ()) -> Tensor:
        """Vectors (rows, outputs). ``kept``: of each hidden layer, (rows, width), 0 where a unit is left out, as ``drawn``."""
        import torch

        of, z = self.parameters, x
        for at in range(self.depth):
            z = torch.addmm(of[f"bias{at}"], z, of[f"weight{at}"])
            z = torch.nn.functional.layer_norm(z, z.shape[1:], of[f"gain{at}"], of[f"shift{at}"], NEAR_ZERO)
            z = torch.nn.functional.gelu(z)
            z = z * kept[at] if kept else z
        told = torch.addmm(of[f"bias{self.depth}"], z, of[f"weight{self.depth}"])
        return torch.addmm(told, x, of["path"]) if "path" in of else told

    def drawn(self, rows: int, dropout: float, chance: Any) -> list[Tensor]:
        """What is kept of each hidden layer for a batch: 0 with probability ``dropout``, else 1 / (1 − dropout)."""
        if not dropout:
            return []
        return [_kept(rows, self.parameters[f"bias{at}"].shape[0], dropout, chance) for at in range(self.depth)]

    def arrays(self) -> dict[str, Floats]:
        """The parameters as they are now, copied."""
        return {name: of.detach().cpu().numpy().copy() for name, of in self.parameters.items()}


def _kept(rows: int, width: int, dropout: float, chance: Any) -> Tensor:
    """Four units of 16 bits to a draw: a generator's own floats cost as much as a small layer."""
    import torch

    share = round(dropout * LEVELS)
    draws = torch.empty(-(-rows * width // 4), dtype=torch.int64, device=chance.device)
    levels = draws.random_(-(2**63), None, generator=chance).view(torch.int16)[: rows * width].view(rows, width)
    return (levels >= share - LEVELS // 2).float().mul_(LEVELS / (LEVELS - share))


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
