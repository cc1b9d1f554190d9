"""The part of a page that counts the rows which treatments made."""

from __future__ import annotations

from collections.abc import Iterator

from watertight.page.blocks import Part, table
from watertight.page.facts import Run


def made(run: Run) -> Iterator[Part]:
    """Rows made for the final models, by cell and step; nothing where none were."""
    rows = [
        {"target": told["target"], "cell": told["cell"], "seed": told["seed"], "step": step, "rows made": count}
        for told in run.trained["made"]
        for step, count in told["made"][told["final"]].items()
    ]
    if rows:
        note = (
            "Made inside each fit, of the rows of that fit alone, and never predicted or scored; counted here for the final "
            "models. Which row each was made of stands in made.parquet, and gate made has asked the witnesses."
        )
        yield Part("Rows made for training", (note,), (), (table("Made rows", rows),))
