"""Each check of `watertight/checks/` on the smallest frame that passes, and on one that breaks it in known rows."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import watertight.checks
from watertight.checks.base import RowCheck
from watertight.checks.suite import Check, judge
from watertight.checks.verdict import CheckResult

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
DAY, HOUR, MICROSECOND = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
IN_MICROSECONDS = int(NOON.timestamp()) * 10**6
IDS = ["r1", "r2", "r3", "r4"]


def instants(*values: datetime | None) -> pl.Series:
    return pl.Series(list(values), dtype=pl.Datetime("us", "UTC"))


@dataclass(frozen=True)
class Case:
    """Columns of four rows that pass, the columns that change, and the rows that are named then."""

    good: dict[str, Any]
    changed: dict[str, Any]
    named: list[str]
    kwargs: dict[str, Any] = field(default_factory=dict)

    def frame(self, **changed: Any) -> pl.DataFrame:
        return pl.DataFrame({"row_id": IDS, **self.good, **changed})


PLACED = {"group_id": ["g", "g", "h", "i"], "split": ["train", "train", "test_groups", "unlabelled"], "fold": [0, 0, None, None]}
FAMILY = {
    "parent_id": [None, "r1", None, "r3"],
    "asked_at": instants(NOON, NOON, NOON + DAY, NOON + DAY),
    "split": ["train", "train", "test_groups", "embargo"],
    "fold": [1, 1, None, None],
}
ASKED = instants(NOON, NOON + DAY, NOON + 2 * DAY, NOON + 3 * DAY)
KNOWN = instants(NOON + HOUR, NOON + 2 * DAY, None, NOON + 4 * DAY)
LIVED = {
    "author": ["a", "a", "a", "b"],
    "asked_at": ASKED,
    "labelled_at": KNOWN,
    "created_at": KNOWN.fill_null(NOON),
    "synthetic": [False] * 4,
    "mood": [1.0, 2.0, None, 1.0],
    "count": [None, 1, 1, None],
}
RECOUNT = {"key": "author", "label": "mood", "column": "count"}
MEANS = {**LIVED, "mean": [None, 1.0, 1.0, None]}
FUTURE = {
    "group_id": ["g"] * 4,
    "split": ["train", "train", "embargo", "test_future"],
    "asked_at": ASKED,
    "labelled_at": ASKED,
    "created_at": ASKED,
}
BLOCKS = {
    "split": ["train"] * 4,
    "fold": [0, 0, 1, 1],
    "asked_at": instants(NOON, NOON + DAY, NOON + 6 * DAY, NOON + 7 * DAY),
    "labelled_at": instants(NOON + DAY, NOON + 2 * DAY, NOON + 6 * DAY, NOON + 7 * DAY),
    "created_at": instants(NOON, NOON, NOON, NOON),
}
DROPPED = {"drop": ["old", "old", "test", "test"], "split": ["train", "train", "test_drops", "unlabelled"]}
MADE_OF = {"of_fitted": [True] * 4, "of_held_out": [False] * 4}
SHARED = {"group_id": ["g", "h", "i", "j"], "split": ["train", "train", "train", "test_groups"]}
BALANCED = {"fold": [0, 0, 1, 1], "language": ["en", "hi", "en", "hi"]}
SOURCES = [IN_MICROSECONDS, None, IN_MICROSECONDS, IN_MICROSECONDS]

CASES: dict[str, list[Case]] = {
    "ExpectMadeOfFittedRows": [
        Case(MADE_OF, {"of_fitted": [True, False, True, False]}, ["r2", "r4"]),
        Case(MADE_OF, {"of_held_out": [False, False, True, False]}, ["r3"]),
    ],
    "ExpectTestDropsApart": [
        Case(DROPPED, {"split": ["train", "train", "test_groups", "test_drops"]}, ["r3"], {"drops": ["test"]}),
        Case(DROPPED, {"split": ["test_drops", "train", "test_drops", "unlabelled"]}, ["r1"], {"drops": ["test"]}),
        Case(DROPPED, {"drop": ["old", "test", "test", "test"]}, ["r2"], {"drops": ["test"]}),
    ],
    "ExpectRealRowsPredicted": [
        Case({"synthetic": [False] * 4}, {"synthetic": [False, True, False, None]}, ["r2", "r4"]),
    ],
    "ExpectChildrenBesideParents": [
        Case(FAMILY, {"fold": [1, 2, None, None]}, ["r2"]),
        Case(FAMILY, {"parent_id": [None, "gone", None, "gone"]}, ["r2", "r4"]),
        Case(FAMILY, {"split": ["train", "test_future", "test_groups", "train"], "fold": [1, None, None, 1]}, ["r2", "r4"]),
        Case(FAMILY, {"asked_at": instants(NOON, NOON + HOUR, NOON + DAY, NOON + DAY)}, ["r2"]),
    ],
    "ExpectFutureAfterTraining": [
        Case(FUTURE, {"asked_at": instants(NOON, NOON + DAY + MICROSECOND, NOON, NOON + 3 * DAY)}, ["r4"], {"gap_days": 2}),
        Case(FUTURE, {"split": ["train", "train", "test_future", "test_future"]}, ["r3"], {"gap_days": 2}),
        Case(FUTURE, {"split": ["test_future", "train", "train", "test_future"]}, ["r1"]),
        Case(FUTURE, {"labelled_at": instants(NOON, NOON + 3 * DAY, NOON, NOON + 4 * DAY)}, ["r4"]),
        Case(FUTURE, {"created_at": instants(NOON + 9 * DAY, NOON, NOON, NOON)}, ["r4"]),
    ],
    "ExpectTestGroupsApart": [
        Case(PLACED, {"group_id": ["h", "g", "h", "i"]}, ["r1", "r3"]),
        Case(PLACED, {"split": ["train", "test_groups", "test_groups", "embargo"]}, ["r1", "r2"]),
        Case(
            PLACED,
            {"split": ["test_future", "embargo", "test_groups", "test_groups"], "group_id": ["g", "h", "h", "g"]},
            ["r1", "r4"],
        ),
    ],
    "ExpectGroupsInOneFold": [
        Case(PLACED, {"fold": [0, 1, None, None]}, ["r1", "r2"]),
        Case(PLACED, {"fold": [0, 1, 2, 2]}, ["r1", "r2"]),
    ],
    "ExpectEmbargoBetweenFolds": [
        Case(BLOCKS, changed, named, {"days": 2})
        for changed, named in (
            ({"labelled_at": instants(NOON, NOON + 4 * DAY, NOON + 6 * DAY, NOON + 7 * DAY)}, ["r2"]),
            ({"created_at": instants(NOON + 8 * DAY, NOON, NOON, NOON)}, ["r1"]),
            ({"asked_at": instants(NOON, NOON + 6 * DAY, NOON + 6 * DAY, NOON + 7 * DAY)}, ["r2", "r3", "r4"]),
            ({"asked_at": instants(NOON, NOON + DAY, NOON + 4 * DAY - HOUR, NOON + 7 * DAY)}, ["r2"]),
            ({"fold": [0, 1, 1, 1]}, ["r1", "r2"]),
            ({"split": ["train", "embargo", "test_groups", "train"], "fold": [0, None, None, 0]}, []),
        )
    ],
    "ExpectGroupsShare": [
        Case(
            SHARED,
            {"split": ["train", "test_groups", "test_groups", "test_groups"]},
            ["r2", "r3", "r4"],
            {"split": "test_groups", "share": 0.25},
        ),
    ],
    "ExpectHistoryToMatchRows": [
        Case(LIVED, {"count": [1, 1, 1, None]}, ["r1"], RECOUNT),
        Case(LIVED, {"count": [None, None, 1, None]}, ["r2"], RECOUNT),
        Case(LIVED, {"count": [None, 1, 2, 1]}, ["r3", "r4"], RECOUNT),
        Case(LIVED, {"labelled_at": instants(NOON + HOUR, NOON + 2 * DAY - MICROSECOND, None, None)}, [], RECOUNT),
        Case(LIVED, {"created_at": instants(NOON + 9 * DAY, NOON + 9 * DAY, NOON, NOON)}, ["r2", "r3"], RECOUNT),
        Case(LIVED, {"synthetic": [True, False, False, False]}, ["r2", "r3"], RECOUNT),
        Case(MEANS, {"mean": [1.0, 2.0, 1.000001, None]}, ["r1", "r2"], {**RECOUNT, "mean": "mean"}),
        Case(MEANS, {"mean": [None, None, 1.0, 1.0]}, ["r2", "r4"], {**RECOUNT, "mean": "mean"}),
    ],
    "ExpectHistoryWithinGroups": [
        Case(
            {"group_id": ["g", "g", "h", "i"], "device": ["x", "x", "y", None]},
            {"device": ["x", "z", "x", "y"]},
            ["r1", "r3"],
            {"key": "device"},
        ),
    ],
    "ExpectKnownWhenAsked": [
        Case(
            {"asked_at": instants(*[NOON] * 4), "known": SOURCES},
            {"known": [IN_MICROSECONDS + 1, None, 0, IN_MICROSECONDS]},
            ["r1"],
            {"column": "known"},
        ),
        Case(
            {"asked_at": instants(*[NOON] * 4), "known": [at and at - 1 for at in SOURCES]},
            {"known": SOURCES},
            ["r1", "r3", "r4"],
            {"column": "known", "strict": True},
        ),
        Case(
            {
                "asked_at": instants(*[NOON] * 4),
                "view__source_at": SOURCES,
                "view__x": [0.0, None, 1.0, 2.0],
                "view__v": [None, None, [1.0], [1.0]],
            },
            {"view__source_at": [IN_MICROSECONDS, None, None, None], "view__x": [None, None, 1.0, None]},
            ["r3", "r4"],
            {"column": "view__source_at"},
        ),
    ],
    "ExpectOwnRowUnseen": [Case({"own_fits": [0] * 4}, {"own_fits": [0, 1, 0, 2]}, ["r2", "r4"])],
    "ExpectOwnGroupUnseen": [Case({"group_fits": [0] * 4}, {"group_fits": [0, 1, 0, 1]}, ["r2", "r4"])],
    "ExpectOnlyTrainingRowsFitted": [Case({"strange_fits": [0] * 4}, {"strange_fits": [0, 3, 0, 0]}, ["r2"])],
    "ExpectPredictedOnce": [Case({"predicted": [1] * 4}, {"predicted": [1, 2, 1, 0]}, ["r2", "r4"])],
    "ExpectNoRowFittedTwice": [
        Case({"refitted": [1, 0, 1, 1]}, {"refitted": [1, 2, 1, 4]}, ["r2", "r4"]),
        Case({"refitted": [2, 3, 1, 1]}, {"refitted": [2, 3, 1, 4]}, ["r4"], {"most": 3}),
    ],
    "ExpectWitnessSound": [Case({"witnessed": [True] * 4}, {"witnessed": [True, False, True, True]}, ["r2"])],
    "ExpectInputsOutOfFold": [
        Case({"own_fits": [0] * 4, "group_fits": [0] * 4, "witnessed": [True] * 4}, changed, named)
        for changed, named in (
            ({"own_fits": [0, 1, 0, 0]}, ["r2"]),
            ({"group_fits": [0, 0, 1, 1]}, ["r3", "r4"]),
            ({"witnessed": [False, True, True, True]}, ["r1"]),
        )
    ],
    "ExpectInputsGivenOnce": [Case({"given": [1] * 4}, {"given": [1, 0, 1, 2]}, ["r2", "r4"])],
    "ExpectChosenOnTrainingRows": [Case({"strange": [False] * 4}, {"strange": [False, True, False, True]}, ["r2", "r4"])],
    "ExpectPredictedInOwnFold": [
        Case({"fold": [0, 1, 2, 2], "assigned_fold": [0, 1, 2, 2]}, {"assigned_fold": [0, 2, 2, None]}, ["r2", "r4"]),
    ],
    "ExpectParentsToExist": [
        Case(
            {"parent_id": [None, "r1", None, None], "synthetic": [False, True, False, False], "group_id": ["g"] * 4},
            changed,
            named,
        )
        for changed, named in (
            ({"parent_id": [None, "r1", "r2", "gone"]}, ["r3", "r4"]),
            ({"group_id": ["g", "h", "g", "g"]}, ["r2"]),
            ({"parent_id": [None] * 4}, ["r2"]),
        )
    ],
    "ExpectReadableText": [
        Case(
            {"text": ["fine", None, "🙂 मन\n\ttwo lines", ""]},
            {"text": ["a\x00b", "a�b", "a\x1bb", "long enough to be too long"]},
            IDS,
            {"column": "text", "most": 20},
        ),
        Case({"text": ["é" * 20] * 4}, {"text": ["é" * 20, "é" * 21, "", None]}, ["r2"], {"column": "text", "most": 20}),
    ],
    "ExpectUndamagedText": [
        Case(
            {"text": ["Café, naïve – “quoted” …", None, "आज मन खुश है 🙂", "yaar kya baat hai!! 😂😂 100% ✅"]},
            {"text": ["CafÃ© in town", "I donâ€™t know", "fine", "smile ðŸ˜€ please"]},
            ["r1", "r2", "r4"],
            {"column": "text"},
        ),
        Case(
            {"text": ["Ça va? Ångström, ÄÖÜ", "日本語の文", "Привет, мир", "한국어 ñandú £5 €3 ½"]},
            {"text": ["Ã‡a va", "Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "æ—¥æœ¬èªž", "à¤®à¤¨ à¤®à¥‡à¤‚"]},
            IDS,
            {"column": "text"},
        ),
    ],
    "ExpectRowsAssigned": [
        Case(PLACED, {"split": ["train", None, "test_groups", "validation"]}, ["r2", "r4"]),
        Case(PLACED, {"fold": [0, None, 1, None]}, ["r2", "r3"]),
    ],
    "ExpectStrataBalanced": [
        Case(BALANCED, {"language": ["en", "en", "hi", "hi"]}, IDS, {"column": "language", "tolerance": 0.4}),
    ],
    "ExpectSyntheticRowsInTraining": [
        Case(
            {
                "synthetic": [False, True, False, True],
                "parent_id": [None, "r1", None, "r3"],
                "split": ["train", "train", "test_groups", "embargo"],
            },
            {"split": ["train", "test_future", "test_groups", "test_groups"]},
            ["r2", "r4"],
        ),
        Case(
            {"synthetic": [False, True, False, False], "parent_id": [None, "r1", None, None], "split": ["train"] * 4},
            {"parent_id": [None] * 4},
            ["r2"],
        ),
    ],
    "ExpectTimesNotInFuture": [
        Case(
            {"asked_at": ASKED},
            {"asked_at": instants(NOON, datetime(2999, 1, 1, tzinfo=UTC), None, NOON)},
            ["r2"],
            {"column": "asked_at"},
        ),
    ],
}


def classes() -> dict[str, type[RowCheck]]:
    for module in pkgutil.iter_modules(watertight.checks.__path__):
        importlib.import_module(f"watertight.checks.{module.name}")
    ours = [found for found in RowCheck.__subclasses__() if found.__module__.startswith("watertight.checks.")]
    return {found.__name__: found for found in ours}


def answer(name: str, frame: pl.DataFrame, kwargs: dict[str, Any]) -> CheckResult:
    [result] = judge("unit", frame, [Check(type=classes()[name].expectation_type, kwargs=kwargs)]).results
    return result


EVERY = [pytest.param(name, case, id=f"{name}-{number}") for name, cases in CASES.items() for number, case in enumerate(cases)]


def test_every_check_has_a_case() -> None:
    assert set(CASES) == set(classes())


@pytest.mark.parametrize(("name", "case"), EVERY)
def test_a_good_frame_passes(name: str, case: Case) -> None:
    found = answer(name, case.frame(), case.kwargs)
    assert (found.status, found.row_ids, found.reason) == ("pass", (), "")


@pytest.mark.parametrize(("name", "case"), EVERY)
def test_a_bad_frame_fails_with_exactly_its_rows(name: str, case: Case) -> None:
    found = answer(name, case.frame(**case.changed), case.kwargs)
    assert list(found.row_ids) == case.named
    assert (found.status, found.count) == ("fail" if case.named else "pass", len(case.named))


@pytest.mark.parametrize("name", CASES)
def test_without_a_column_it_is_skipped_with_the_reason_and_does_not_pass(name: str) -> None:
    case = CASES[name][0]
    for column in classes()[name](**case.kwargs).reads():
        found = answer(name, case.frame().drop(column), case.kwargs)
        assert (found.status, found.reason) == ("skipped", f"no column {column!r}")


@pytest.mark.parametrize("name", CASES)
def test_the_order_of_the_rows_does_not_matter(name: str) -> None:
    case = CASES[name][0]
    found = answer(name, case.frame(**case.changed).reverse(), case.kwargs)
    assert sorted(found.row_ids) == case.named
