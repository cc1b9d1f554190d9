"""Losses of the projector, on torch tensors: how far its vectors point away from the true ones, or from the others.

``vectors``: (rows, d). ``true``: (images, d), of length 1, each different; ``own``: (rows,), the place of each row's true one
among them. ``weight``: (rows,), above 0. Each loss is a weighted mean over rows.
"""

from __future__ import annotations

from typing import Any

Tensor = Any
STEEPEST = 100.0
"""The greatest scale of cosines, as in CLIP (Radford et al. 2021): the inverse of the least temperature."""
NOTHING = 1e-24
"""The squared length below which a vector has no direction, and is as near to everything."""


def cosine(vectors: Tensor, true: Tensor, own: Tensor, weight: Tensor) -> Tensor:
    """1 − the cosine of each row's vector with its true one, a number."""
    return ((1 - (_scaled(vectors, 1.0) * true[own]).sum(dim=1)) * weight).sum() / weight.sum()


def infonce(vectors: Tensor, true: Tensor, own: Tensor, weight: Tensor, log_scale: Tensor) -> Tensor:
    """−log of the share that a row's own true vector has among those of the batch, a number (van den Oord et al. 2018).

    Shares are of exp(scale · cosine). Rows with the same true vector, as captions of one image, are no negatives of one another.
    That of others counts as a negative as often as it has rows, each by its weight: a row of weight 2 is that row twice.
    """
    import torch  # heavy, needed only where networks are fitted

    asked = _scaled(vectors, log_scale.exp().clamp(max=STEEPEST))
    often = torch.zeros(len(true), device=true.device).index_add_(0, own, weight).log()
    logits = torch.addmm(often, asked, true.T)
    once = (torch.arange(len(own), device=own.device), own)
    logits = logits.index_put_(once, -often[own], accumulate=True)
    surprise = torch.nn.functional.cross_entropy(logits, own, reduction="none")
    return (surprise * weight).sum() / weight.sum()


def _scaled(vectors: Tensor, length: Any) -> Tensor:
    """``vectors``, (rows, d), at that length: one product of so many numbers, not one for the direction and another for it."""
    vectors = vectors.float()
    return vectors * (vectors.square().sum(dim=1, keepdim=True).clamp(min=NOTHING).rsqrt() * length)
