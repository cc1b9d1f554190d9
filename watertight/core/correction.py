"""What a correction for hubs is declared as: its method, whose queries tell what a hub is, and its one number."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from watertight.core.declare import Declaration

Bank = Literal["inductive", "transductive"]


class Csls(Declaration):
    """Cross-domain similarity local scaling (Conneau et al. 2018, ICLR): less the mean cosine to the nearest ``neighbours``.

    ``bank``, here and below: ``inductive``, queries that were known before any of the part was asked; ``transductive``, the very
    queries of the part, which a service that answers one at a time does not have. Every figure says which.
    """

    method: Literal["csls"]
    bank: Bank
    neighbours: int = Field(default=10, gt=0)


class QbNorm(Declaration):
    """By a bank of queries, the dynamic inverted softmax of inverse temperature ``sharpness`` (Bogolin et al. 2022, CVPR)."""

    method: Literal["qb_norm"]
    bank: Bank
    sharpness: float = Field(default=20.0, gt=0, le=1000)


class DualSoftmax(Declaration):
    """Cosines times their softmax over the bank (Cheng et al. 2021, arXiv:2109.04290), of inverse temperature ``sharpness``."""

    method: Literal["dual_softmax"]
    bank: Bank
    sharpness: float = Field(default=20.0, gt=0, le=1000)


Correction = Annotated[Csls | QbNorm | DualSoftmax, Field(discriminator="method")]


def servable(name: str, declared: Correction) -> Correction:
    """``declared`` itself; raises ValueError where a service cannot correct by it, for want of a bank."""
    if declared.bank == "transductive":
        raise ValueError(
            f"correction {name!r} is transductive: its bank are the other queries of a part, and a service that answers one"
            " query at a time does not have them; name one of bank: inductive"
        )
    return declared
