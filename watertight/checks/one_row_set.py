"""Figures that are set beside one another are of the same rows with the same labels."""

from __future__ import annotations

import pandas as pd

from watertight.checks.base import Found, TableCheck


class ExpectOneRowSet(TableCheck):
    """Within a target and slice every figure has the same row set: the digest of its (row_id, label) pairs.

    A cell that leaves out hard rows, or whose figure is of other labels, looks better or worse than it is. A line of the
    frame is a figure's source: ``row_id`` names it, and the vector column ``lacks`` lists the rows that others have and it
    has not, by which they are named. The one to be beside is the row set that most lines have, of as many the largest.
    """

    needs = ("row_id", "target", "slice", "value", "row_set", "rows")

    def find(self, frame: pd.DataFrame) -> Found:
        """The figures of another row set, and the rows that they lack."""
        place = ["target", "slice", "value"]
        sets = frame.groupby([*place, "row_set"], as_index=False).agg(lines=("rows", "size"), size=("rows", "max"))
        common = sets.sort_values(["lines", "size", "row_set"]).drop_duplicates(place, keep="last")
        beside = frame[place].merge(common, on=place, how="left")["row_set"]
        odd = frame["row_set"] != beside.set_axis(frame.index)
        if not odd.any():
            return Found(True)
        lacking = self.setting.judged.filter(odd.to_numpy())["lacks"].explode(empty_as_null=False).unique(maintain_order=True)
        names = frame.loc[odd, "row_id"].drop_duplicates().tolist()
        first = frame[odd].iloc[0]
        other = frame[(frame[place] == first[place]).all(axis=1) & ~odd].iloc[0]
        return Found(False, lacking.drop_nulls().to_list(), names, told=f"{_told(first)} beside {_told(other)}")


def _told(line: pd.Series) -> str:
    return f"{line['row_id']} is of {line['rows']} rows (row set {line['row_set']})"
