"""Losses of the multilayer perceptron, on torch tensors, in the unit of the standardised target.

``mean``, ``log_variance`` (natural), ``y`` and ``weight``: tensors (rows,). Each loss is a weighted mean over rows, so that a
row of weight 2 counts as that row twice. The constant ½·log 2π is left out.
"""

from __future__ import annotations

from typing import Any

from watertight.learners.mlp_options import MlpOptions

BETA = 0.5
Tensor = Any


def loss_of(options: MlpOptions, mean: Tensor, spread: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """The declared loss, a number. ``spread`` is the rows' log-variance; of ``balanced_mse`` the one of its noise, ().

    ``nll_mae``: share · Gaussian negative log likelihood + (1 − share) · absolute error. ``beta_nll``: the likelihood, each row
    times its own variance to the power ½, through which no gradient goes (Seitzer et al. 2022). ``faithful``: half the squared
    error, plus the likelihood without a gradient to the mean (Stirn et al. 2023; the network keeps it from the trunk too).
    ``mse``: the squared error. ``balanced_mse``: see ``balanced``.
    """
    if options.loss == "balanced_mse":
        return balanced(mean, spread, y, weight)
    if options.loss == "mse":
        return _mean((y - mean) ** 2, weight)
    if options.loss == "faithful":
        return _mean((y - mean) ** 2 / 2 + _surprise(mean.detach(), spread, y), weight)
    if options.loss == "beta_nll":
        return _mean(spread.detach().mul(BETA).exp() * _surprise(mean, spread, y), weight)
    share = options.nll_share
    return _mean(share * _surprise(mean, spread, y) + (1 - share) * (y - mean).abs(), weight)


def judge_of(options: MlpOptions) -> MlpOptions:
    """The options of the loss that says which epoch is best.

    That of ``beta_nll`` is the likelihood itself: its own value moves with the variance that it is weighted by.
    """
    return options.model_copy(update={"loss": "nll_mae", "nll_share": 1.0}) if options.loss == "beta_nll" else options


def balanced(mean: Tensor, log_noise: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """Balanced MSE, estimated from the batch (Ren et al. 2022, BMC): how surely each row's prediction points at its own truth.

    −log of N(y_i; mean_i, noise) over Σ_j w_j N(y_j; mean_i, noise): dividing by how often such truths are in training leaves
    a mean for evenly spread ones. Without the factor 2·noise of the authors' code, which would make a loss smaller
    as the noise falls and so misguide early stopping.
    """
    precision = log_noise.neg().exp()
    apart = -((mean[:, None] - y[None, :]) ** 2) * precision / 2
    return _mean((apart + weight.log()).logsumexp(dim=1) + (y - mean) ** 2 * precision / 2, weight)


def _surprise(mean: Tensor, log_variance: Tensor, y: Tensor) -> Tensor:
    """The Gaussian negative log likelihood of each row."""
    return (log_variance + (y - mean) ** 2 * log_variance.neg().exp()) / 2


def _mean(loss: Tensor, weight: Tensor) -> Tensor:
    return (loss * weight).sum() / weight.sum()
