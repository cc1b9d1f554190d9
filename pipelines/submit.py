"""submit: the vector that the bundle predicts for each row of a file, as a submission that has been checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipelines.predict import answered
from watertight.core.errors import Misuse, Refusal
from watertight.core.project import Workload
from watertight.inference.submission import EMBEDDING, ID, NUMBERS, Asked, write_submission


def submit(work: Workload, source: Path, to: Path) -> dict[str, Any]:
    """Write the submission to ``to``, and answer how many rows and numbers it has.

    Raises Misuse where the workload has not one vector target, and Refusal where a check refuses one of the rows: a submission
    has no holes.
    """
    target = _target(work)
    table = answered(work, source)
    refused = table.drop_nulls("refused")
    if not refused.is_empty():
        raise Refusal(
            f"{refused.height} of {table.height} rows cannot be answered: {refused['refused'][0]}",
            rows=refused["row_id"].to_list(),
            expected="a file of which every row passes the checks",
            next_step="mend the rows; `watertight predict` answers the others",
        )
    vectors = table[f"{target}_vector"].cast(NUMBERS)
    dimension = work.contract.targets[target].dimension or 0
    asked = Asked(tuple(table["row_id"]), dimension)
    write_submission(pl.DataFrame({ID: table["row_id"], EMBEDDING: vectors}), asked, to)
    return {"target": target, "rows": table.height, "dimension": dimension, "to": str(to)}


def _target(work: Workload) -> str:
    targets = work.contract.targets
    vectors = [name for name in work.params.train.targets if name in targets and targets[name].kind == "vector"]
    if len(vectors) != 1:
        raise Misuse(
            f"a submission is of one vector, and this workload has {len(vectors)}",
            expected="one trained target of kind vector",
            next_step=f"watertight predict {work.name} --from FILE --to FILE",
        )
    return vectors[0]
