"""Losses of the projector, on torch tensors: how far its vectors point away from the true ones, or from the others.

``vectors`` and ``truth``: (rows, d), the latter of length 1. ``group``: (rows,), whole numbers, the same where the true vector
is. ``weight``: (rows,), above 0. Each loss is a weighted mean over rows, and a row of weight 2 counts as that row twice.
"""

from __future__ import annotations

from typing import Any

Tensor = Any
STEEPEST = 100.0
"""The greatest scale of similarities, as in CLIP (Radford et al. 2021); its inverse is the least temperature."""


def cosine(vectors: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """1 − the cosine of each row's vector with its true one, a number."""
    return ((1 - (_directions(vectors) * truth).sum(dim=1)) * weight).sum() / weight.sum()


def infonce(vectors: Tensor, truth: Tensor, group: Tensor, weight: Tensor, log_scale: Tensor, symmetric: bool) -> Tensor:
    """−log of the share that a row's own true vector has among those of the batch, a number (van den Oord et al. 2018).

    Shares are of exp(scale · cosine). Another row of the same group is no negative: its true vector is the own. A negative of
    weight w counts w times. ``symmetric``: the mean of this and of the share that a true vector's own row has among all rows.
    """
    import torch  # heavy, needed only where networks are fitted

    asked = _directions(vectors) * log_scale.exp().clamp(max=STEEPEST)
    logits = asked @ truth.T
    own = logits.diagonal()
    others = _others(group, weight)
    surprise = torch.logaddexp(own, (logits + others).logsumexp(dim=1)) - own
    if symmetric:
        surprise = (surprise + torch.logaddexp(own, (logits.T + others).logsumexp(dim=1)) - own) / 2
    return (surprise * weight).sum() / weight.sum()


def _others(group: Tensor, weight: Tensor) -> Tensor:
    """(rows, rows): the logarithm of how often a column is a negative of a row; −inf, never, within a group."""
    return weight.log().masked_fill(group[:, None] == group[None, :], -float("inf"))


def _directions(vectors: Tensor) -> Tensor:
    import torch

    return torch.nn.functional.normalize(vectors.float(), dim=1)
