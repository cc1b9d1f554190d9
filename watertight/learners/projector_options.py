"""What may be declared of the projector."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from watertight.learners.family import Options

INNER_FOLDS = 10


class ProjectorOptions(Options):
    """``hidden``: the widths of the hidden layers. ``residual``: beside them runs a straight path, which starts as ridge.

    ``loss``: see ``projector_losses``; ``temperature`` is where that of ``infonce``, which is learnt, starts. ``dropout``: the
    share of each hidden layer that is left out. ``epochs`` at most, of batches of at least ``batch`` rows where there are as
    many, by AdamW with decoupled ``weight_decay``; the learning rate rises to ``learning_rate`` in the share ``warm_up`` of all
    steps and falls to 0 as a half cosine. ``chunk``: so many rows are passed at a time, which bounds memory and changes the
    model by rounding alone; None is the whole batch. ``patience``: how many epochs without a better rank of the rows held out
    end the fit.
    """

    hidden: tuple[Annotated[int, Field(ge=1)], ...] = (512,)
    residual: bool = True
    loss: Literal["cosine", "infonce"] = "infonce"
    temperature: float = Field(default=0.03, ge=0.01, le=10)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    epochs: int = Field(default=30, ge=1)
    batch: int = Field(default=512, ge=2)
    chunk: int | None = Field(default=None, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    warm_up: float = Field(default=0.1, ge=0, lt=1)
    patience: int = Field(default=8, ge=1)
