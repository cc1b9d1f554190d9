"""Seeds as one: the mean of each output to the last bit, and the variance of the mixture."""

from __future__ import annotations

import numpy as np
import pytest

from watertight.core.ensembles import averaged


def member(seed: int) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(seed)
    return {"mean": chance.normal(size=5), "lower": chance.normal(size=5), "probabilities": chance.normal(size=(5, 3))}


@pytest.mark.parametrize("members", [1, 2, 5])
def test_outputs_are_the_mean_to_the_last_bit(members: int) -> None:
    given = [member(seed) for seed in range(members)]
    found = averaged(given)
    assert list(found) == list(given[0])
    assert all(np.array_equal(found[name], np.mean([one[name] for one in given], axis=0)) for name in found)


def test_the_variance_is_that_of_draws_from_the_members() -> None:
    means, log_variances = np.array([0.0, 3.0, -1.0]), np.log([1.0, 0.25, 4.0])
    found = averaged([{"mean": mean[None], "log_variance": at[None]} for mean, at in zip(means, log_variances)])
    chance = np.random.default_rng(0)
    which = chance.integers(0, 3, 400_000)
    draws = chance.normal(means[which], np.exp(log_variances / 2)[which])
    assert np.exp(found["log_variance"]) == pytest.approx([draws.var()], rel=0.01)
    assert found["mean"] == pytest.approx([means.mean()])


def test_one_member_is_told_as_it_is() -> None:
    given = {"mean": np.array([0.1]), "log_variance": np.array([-1 / 3])}
    assert averaged([given])["log_variance"][0] == given["log_variance"][0]
