"""A batch passed in chunks has the gradient of the whole, dropout and all; parts that know nothing of one another do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from watertight.learners.gradient_caching import backward
from watertight.learners.projector_losses import infonce
from watertight.learners.projector_network import Network

ROWS, IMAGES = 23, 9


def parts() -> tuple[Network, Any, Any, Any, Any]:
    """A network with dropout, rows of some images, and their weights."""
    chance = np.random.default_rng(4)
    network = Network((6, 16, 12, 5), None, np.zeros(5, dtype=np.float32), 0.4, 1)
    x = torch.from_numpy(chance.normal(size=(ROWS, 6)).astype(np.float32))
    true = torch.nn.functional.normalize(torch.from_numpy(chance.normal(size=(IMAGES, 5)).astype(np.float32)), dim=1)
    return network, x, true, torch.arange(ROWS) % IMAGES, torch.from_numpy(chance.uniform(0.5, 2, ROWS).astype(np.float32))


def gradients(chunk: int | None) -> tuple[float, list[np.ndarray], list[slice]]:
    network, x, true, own, weight = parts()
    kept, log_scale, seen = network.drawn(ROWS), torch.tensor(1.5, requires_grad=True), []

    def passed(part: slice) -> Any:
        seen.append(part)
        return network(x[part], [of[part] for of in kept])

    loss = backward(passed, lambda vectors: infonce(vectors, true, own, weight, log_scale), ROWS, chunk)
    return float(loss), [of.grad.numpy() for of in (*network.parameters.values(), log_scale)], seen


@pytest.mark.parametrize("chunk", [1, 4, 22])
def test_chunks_have_the_gradient_of_the_whole_batch(chunk: int) -> None:
    whole, expected, once = gradients(None)
    loss, found, seen = gradients(chunk)
    assert loss == pytest.approx(whole, rel=1e-6)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-6)
        assert np.abs(other).max() > 1e-5
    assert len(once) == 1 and len(seen) == 2 * -(-ROWS // chunk)
    assert max(part.stop - part.start for part in seen) == chunk


@pytest.mark.parametrize("chunk", [ROWS, ROWS + 1])
def test_a_chunk_as_large_as_the_batch_is_one_pass(chunk: int) -> None:
    assert gradients(chunk)[2] == [slice(0, ROWS)]


def test_losses_of_parts_by_themselves_have_another_gradient() -> None:
    """What adding up does, which knows the negatives of each part alone."""
    network, x, true, own, weight = parts()
    kept = network.drawn(ROWS)
    for part in (slice(0, 12), slice(12, ROWS)):
        there, places = own[part].unique(return_inverse=True)
        told = network(x[part], [of[part] for of in kept])
        (infonce(told, true[there], places, weight[part], torch.tensor(1.5)) * weight[part].sum() / weight.sum()).backward()
    apart = network.parameters["weight1"].grad.numpy()
    names = list(parts()[0].parameters)
    assert np.abs(apart - gradients(None)[1][names.index("weight1")]).max() > 1e-3


def test_dropout_that_is_drawn_anew_is_not_the_same_gradient() -> None:
    """The planted fault: each pass leaves out other units."""
    network, x, true, own, weight = parts()
    loss = lambda vectors: infonce(vectors, true, own, weight, torch.tensor(1.5))  # noqa: E731
    backward(lambda part: network(x[part], network.drawn(len(x[part]))), loss, ROWS, 4)
    names = list(network.parameters)
    whole = gradients(None)[1][names.index("weight1")]
    assert np.abs(network.parameters["weight1"].grad.numpy() - whole).max() > 1e-3
