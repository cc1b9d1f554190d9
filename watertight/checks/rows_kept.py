"""Rows out are rows in: a training set holds each row that was asked once, and no other."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from watertight.checks.base import Found, TableCheck, skipped


class ExpectRowsKept(TableCheck):
    """The frame holds the rows that were asked (``asked`` of the setting), each once and nothing besides.

    Names the rows that are missing, in the order in which they were asked, then those that were added or come more than
    once; the figures say how many of each. Skipped where nobody said what was asked.
    """

    needs = ("row_id",)

    def find(self, frame: pd.DataFrame) -> Found:
        """Missing, added and doubled rows."""
        if self.setting.asked is None:
            return skipped("the gate was not told which rows were asked")
        asked, there = dict.fromkeys(self.setting.asked), Counter(frame["row_id"].astype(str))
        missing = [row for row in asked if row not in there]
        added = [row for row in there if row not in asked]
        doubled = [row for row, times in there.items() if times > 1 and row in asked]
        figures = {"missing": len(missing), "added": len(added), "doubled": len(doubled)}
        told = ", ".join(f"{count} {name}" for name, count in figures.items() if count)
        return Found(not told, [*missing, *added, *doubled], figures=figures, told=told)
