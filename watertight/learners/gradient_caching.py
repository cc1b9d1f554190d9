"""Batches larger than memory, with the gradient of the whole batch: passes in chunks, the loss over all (Gao et al. 2021).

A contrastive loss is of all rows of a batch at once, so that parts of it cannot simply be added up. But it needs the rows'
vectors alone, which are small. They are computed first, chunk by chunk, and nothing else is kept; the loss of them all says how
each should move; then each chunk passes once more, and its vectors' gradient goes on from there to the parameters. This costs a
second forward pass. Units that dropout leaves out must be drawn once for both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Tensor = Any


def backward(passed: Callable[[slice], Tensor], loss_of: Callable[[Tensor], Tensor], rows: int, chunk: int | None) -> Tensor:
    """Add the gradient of ``loss_of`` the vectors of all ``rows`` to whatever they come from; the loss, detached.

    ``passed`` gives the vectors, (n, d), of a slice of the rows, the same at each call. ``chunk``: rows a pass.
    """
    if chunk is None or chunk >= rows:
        loss = loss_of(passed(slice(0, rows)))
        loss.backward()
        return loss.detach()
    import torch  # heavy, needed only where networks are fitted

    parts = [slice(start, min(start + chunk, rows)) for start in range(0, rows, chunk)]
    with torch.no_grad():
        vectors = torch.cat([passed(part) for part in parts])
    loss = loss_of(vectors.requires_grad_(True))
    loss.backward()
    gradient: Tensor = vectors.grad
    for part in parts:
        passed(part).backward(gradient[part])
    return loss.detach()
