"""The base of the platform's expectations: Great Expectations batch expectations that answer with rows, columns and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd
import polars as pl
from great_expectations.expectations.expectation import BatchExpectation

from watertight.checks.setting import Setting, current


@dataclass(frozen=True)
class Found:
    """What a check found: ``ok``, or the ids of the ``rows`` or the ``columns`` that break it.

    ``figures`` are numbers worth keeping whether it passed or not, ``told`` one line about them for a person. ``skipped``
    is the reason why nothing could be judged; it is never a pass.
    """

    ok: bool
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    told: str = ""
    skipped: str = ""


def skipped(reason: str) -> Found:
    """Nothing could be judged, for this reason."""
    return Found(True, skipped=reason)


class TableCheck(BatchExpectation):
    """A check on a whole frame. A subclass gives ``find``; its name in snake case is its type in a suite.

    A column named by ``reads`` that the frame lacks makes it *skipped*, with the reason.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    metric_dependencies: ClassVar[tuple[str, ...]] = ()

    @property
    def setting(self) -> Setting:
        """What the gate knows beside the frame."""
        return current()

    def reads(self) -> tuple[str, ...]:
        """The columns that the check reads; by default ``needs``."""
        return self.needs

    def find(self, frame: pd.DataFrame) -> Found:
        """What is found on ``frame``, which has the columns of ``reads``."""
        raise NotImplementedError

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:
        frame = execution_engine.get_domain_records({})
        absent = [name for name in self.reads() if name not in frame]
        found = skipped(f"no column {', '.join(map(repr, absent))}") if absent else self.find(frame)
        return {"success": found.ok, "result": _told(found)}


class FeatureCheck(TableCheck):
    """A check on the features of the setting. A subclass gives ``among``.

    Skipped, with the reason, where there is no feature, or one that is no column of the frame.
    """

    needs = ("group_id", "split", "synthetic")

    def among(self, trained: pl.DataFrame) -> Found:
        """What is found among the training rows, children left out."""
        raise NotImplementedError

    def find(self, frame: pd.DataFrame) -> Found:
        """What ``among`` finds."""
        features, judged = self.setting.features, self.setting.judged
        absent = [name for name in features if name not in judged.columns]
        if absent or not features:
            return skipped(f"no column {', '.join(map(repr, absent))}" if absent else "there is no feature")
        return self.among(judged.filter((pl.col("split") == "train") & ~pl.col("synthetic")))


class RowCheck(TableCheck):
    """A check that names the rows which break it. A subclass declares ``needs`` and gives ``offending``. Example::

    class ExpectGroupsInOneFold(RowCheck):
        needs = ("group_id", "fold")

        def offending(self, frame):
            return frame.groupby("group_id")["fold"].transform("nunique") > 1
    """

    def offending(self, frame: pd.DataFrame) -> pd.Series:
        """A boolean per row of ``frame``: true where the row breaks the rule."""
        raise NotImplementedError

    def find(self, frame: pd.DataFrame) -> Found:
        """The ids of the offending rows."""
        rows = frame.loc[self.offending(frame).fillna(False).astype(bool), "row_id"]
        return Found(rows.empty, rows=rows.astype(str).tolist())


def microseconds(instants: pd.Series) -> pd.Series:
    """UTC instants as whole microseconds since the epoch; null becomes the least int64."""
    return instants.astype("datetime64[us, UTC]").astype("int64")


def _told(found: Found) -> dict[str, Any]:
    return {
        "unexpected_count": len(found.rows) or len(found.columns),
        "row_ids": list(found.rows),
        "columns": list(found.columns),
        "figures": dict(found.figures),
        "told": found.told,
        "skipped": found.skipped,
    }
