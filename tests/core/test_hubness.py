"""Corrections for hubs beside slow selves, and on a gallery that has a hub."""

from __future__ import annotations

import numpy as np
import pytest

from watertight.core.correction import Correction, Csls, DualSoftmax, QbNorm
from watertight.core.hubness import csls_bias, rescored
from watertight.core.ranks import Gallery, directions, ranks

CSLS = Csls(method="csls", bank="inductive", neighbours=4)
QB_NORM = QbNorm(method="qb_norm", bank="inductive", sharpness=12)
DUAL = DualSoftmax(method="dual_softmax", bank="inductive", sharpness=12)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one.astype(float) @ other.astype(float))


def slow(declared: Correction, query: np.ndarray, bank: np.ndarray, vectors: np.ndarray) -> list[float]:
    """The scores of one query, as the papers write them."""
    near = [cosine(query, vector) for vector in vectors]
    to_bank = [[cosine(asked, vector) for asked in bank] for vector in vectors]
    if isinstance(declared, Csls):
        mine = np.mean(sorted(near)[-declared.neighbours :])
        return [2 * own - mine - np.mean(sorted(row)[-declared.neighbours :]) for own, row in zip(near, to_bank)]
    weights = [
        np.exp(declared.sharpness * own) / sum(np.exp(declared.sharpness * np.array(row))) for own, row in zip(near, to_bank)
    ]
    if isinstance(declared, DualSoftmax):
        return [own * weight for own, weight in zip(near, weights)]
    activated = {int(np.argmax([row[place] for row in to_bank])) for place in range(len(bank))}
    return weights if int(np.argmax(near)) in activated else near


def made(seed: int, rows: int = 12, dimension: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Queries, a bank and a gallery; the bank asks for a part of the gallery alone."""
    chance = np.random.default_rng(seed)
    vectors = directions(chance.normal(size=(15, dimension)))
    bank = directions(vectors[chance.integers(4, size=9)] + 0.4 * chance.normal(size=(9, dimension)))
    return directions(chance.normal(size=(rows, dimension))), bank, vectors


@pytest.mark.parametrize("declared", [CSLS, QB_NORM, DUAL], ids=lambda one: one.method)
@pytest.mark.parametrize("seed", range(5))
def test_the_order_is_that_of_the_papers(declared: Correction, seed: int) -> None:
    queries, bank, vectors = made(seed)
    scores = rescored(declared, bank, vectors)(queries @ vectors.T)
    assert scores.argsort(axis=1).tolist() == [np.argsort(slow(declared, query, bank, vectors)).tolist() for query in queries]


def test_a_bank_query_decides_whether_the_dynamic_softmax_is_used() -> None:
    queries, bank, vectors = made(1)
    scores = rescored(QB_NORM, bank, vectors)(queries @ vectors.T)
    as_before = [np.allclose(row, 2 * near) for row, near in zip(scores, queries @ vectors.T)]
    assert 0 < sum(as_before) < len(queries)


@pytest.mark.parametrize("declared", [CSLS, QB_NORM, DUAL], ids=lambda one: one.method)
def test_ranks_are_by_the_corrected_scores(declared: Correction) -> None:
    queries, bank, vectors = made(3)
    own = np.arange(len(queries))
    found = ranks(queries, Gallery(vectors, own), rescored(declared, bank, vectors))
    for query, place, rank in zip(queries, own, found):
        scores = slow(declared, query, bank, vectors)
        assert rank == 1 + sum(score > scores[place] for score in scores)


@pytest.mark.parametrize("declared", [CSLS, QB_NORM, DUAL], ids=lambda one: one.method)
def test_a_hub_stands_before_what_was_meant_until_a_bank_tells_it(declared: Correction) -> None:
    """All queries lean the same way, and one of the gallery lies just there; a bank of other such queries tells."""
    chance = np.random.default_rng(5)
    lean = np.eye(20)[0]
    meant = np.hstack([np.zeros((60, 1)), chance.normal(size=(60, 19))])
    vectors = directions(np.vstack([meant, lean[None]]))
    asked = directions(vectors[:60] + 1.2 * lean + 0.1 * chance.normal(size=(60, 20)))
    among = Gallery(vectors, np.arange(30))
    plain = ranks(asked[:30], among)
    corrected = ranks(asked[:30], among, rescored(declared, asked[30:], vectors))
    assert (plain == 1).mean() < 0.5
    assert (corrected == 1).mean() > 0.9


def test_more_neighbours_than_the_bank_has_are_all_of_it_and_an_empty_bank_tells_nothing() -> None:
    _, bank, vectors = made(0)
    assert csls_bias(bank, vectors, 99) == pytest.approx((vectors @ bank.T).mean(axis=1), abs=1e-6)
    with pytest.raises(ValueError, match="the bank is empty"):
        rescored(CSLS, bank[:0], vectors)
