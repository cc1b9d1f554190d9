"""What may be declared of the multilayer perceptron."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from watertight.learners.family import Options

INNER_FOLDS = 5
Loss = Literal["nll_mae", "beta_nll", "faithful", "mse", "balanced_mse"]
WITH_VARIANCE: tuple[Loss, ...] = ("nll_mae", "beta_nll", "faithful")
"""The losses that fit a variance of its own for each row."""


class MlpOptions(Options):
    """``hidden``: the widths of the hidden layers. ``loss``: see ``mlp_losses``; ``nll_share`` is read by ``nll_mae`` alone.

    ``epochs`` at most, of batches of at least ``batch`` rows where there are as many, by AdamW with decoupled
    ``weight_decay``; the learning rate rises to ``learning_rate`` and falls again in one cycle (Smith & Topin 2018).
    ``dropout``: the share of each hidden layer that is left out. ``patience``: how many epochs without a smaller loss on the
    rows held out end the fit. ``members``: so many networks, each from another start and with another fifth of the rows held
    out, answer together (Lakshminarayanan et al. 2017).
    """

    hidden: tuple[Annotated[int, Field(ge=1)], ...] = (128, 64, 32)
    loss: Loss = "nll_mae"
    nll_share: float = Field(default=0.45, ge=0, le=1)
    epochs: int = Field(default=30, ge=1)
    batch: int = Field(default=512, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    members: int = Field(default=1, ge=1, le=INNER_FOLDS)
    patience: int = Field(default=10, ge=1)
