"""What a drop is judged by beside the frozen reference profile: its features, its texts, its labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from pipelines.features import Features
from watertight.checks.suite import CONTRACT, Check, judge, suite_of
from watertight.checks.verdict import Verdict
from watertight.core.project import Workload


def judge_drift(work: Workload, frame: pl.DataFrame, features: Features, reference: Sequence[str] | None) -> Verdict:
    """The verdict on the rows of ``frame`` that are not of the ``reference``'s drops, beside those that are.

    ``frame``: typed rows, with their features where they were joined; what is not there is not compared. ``reference``:
    values of the column ``drop``, or None where no profile is frozen: every check is then skipped, which blocks nothing.
    A check that the workload's own suite declares takes the place of the platform's of that type.
    """
    own = suite_of("drift", work.expectations)
    types = {check.type for check in own}
    usual = [*suite_of("drift", CONTRACT), *_of_content(features), *_of_texts(work)]
    checks = [*own, *(check for check in usual if check.type not in types)]
    reference = None if reference is None else tuple(reference)
    return judge(
        "drift",
        frame,
        checks,
        work.params.waive,
        features=tuple(features.model_columns),
        targets=work.contract.targets,
        reference=reference,
    )


def _of_content(features: Features) -> Iterator[Check]:
    """What is derived from content; what is derived from the past grows with it, and its drift is only told."""
    content = sorted(served.name for served in features.served("content"))
    past = sorted({name.partition("__")[0] for name in features.model_columns} - set(content))
    for views, severity in ((content, "critical"), (past, "info")):
        if views:
            yield Check(type="expect_features_unchanged", kwargs={"views": views}, severity=severity)


def _of_texts(work: Workload) -> Iterator[Check]:
    for name in work.contract.text:
        yield Check(type="expect_text_unchanged", kwargs={"column": name})
