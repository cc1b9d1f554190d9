"""Facts that were not known yet, joined for real through the feature store: the guard names who has seen them."""

from __future__ import annotations

import polars as pl
import pytest
from tiny_project import HISTORY, LEXICAL, TRAINING_SET, Change, Refused, TinyProject, where

from watertight.core.time import known_at, microseconds

MICROSECOND = pl.duration(microseconds=1)
OWN = pl.col("author_id") == "a07"
KNOWN, RECOUNT = "expect_known_when_asked", "expect_history_to_match_rows"


def without_the_microsecond(history: pl.DataFrame) -> pl.DataFrame:
    """State that may be used the instant its label is known: an inclusive join shows it to that very instant."""
    return history.with_columns(pl.col("event_timestamp") - MICROSECOND)


def stamped_when_asked(rows: pl.DataFrame, author: str) -> Change:
    """State of an author that may be used from the writing of the text on, not from its label; the evidence is honest."""
    label = rows.filter(~pl.col("synthetic")).select("author_id", "asked_at", created_timestamp=known_at())
    early = pl.col("author_id") == author

    def change(history: pl.DataFrame) -> pl.DataFrame:
        placed = history.join(label, on=["author_id", "created_timestamp"], how="left", maintain_order="left")
        return placed.with_columns(
            event_timestamp=pl.when(early).then(pl.col("asked_at") + MICROSECOND).otherwise("event_timestamp"),
            created_timestamp=pl.when(early).then("asked_at").otherwise("created_timestamp"),
        ).drop("asked_at")

    return change


def joined_and_refused(project: TinyProject) -> Refused:
    project.execute("join")
    return project.refused("guard")


def test_a_label_does_not_reach_the_row_of_its_own_instant(project: TinyProject) -> None:
    project.tamper(HISTORY, without_the_microsecond)
    seen = joined_and_refused(project)
    assert seen == Refused({KNOWN, RECOUNT}, {"a00-2", "a01-3"}), "a00-2 sees its own label, a01-3 that of a01-1"


def test_a_label_is_not_used_before_it_was_given(project: TinyProject) -> None:
    project.tamper(HISTORY, stamped_when_asked(project.table(TRAINING_SET), "a07"))
    assert joined_and_refused(project) == Refused({KNOWN, RECOUNT}, {f"a07-{number}" for number in range(1, 6)})


def test_evidence_that_was_made_to_look_old_does_not_help(project: TinyProject) -> None:
    project.tamper(HISTORY, stamped_when_asked(project.table(TRAINING_SET), "a07"))
    project.tamper(HISTORY, lambda state: state.with_columns(source_at=pl.when(OWN).then(0).otherwise("source_at")))
    assert joined_and_refused(project) == Refused({RECOUNT}, {f"a07-{number}" for number in range(1, 6)})


def test_a_history_that_misses_a_label_is_found(project: TinyProject) -> None:
    project.tamper(HISTORY, lambda state: state.filter(~(OWN & (pl.col("mood_count") == 2))))
    assert joined_and_refused(project) == Refused({RECOUNT}, {"a07-3"})


def test_a_history_of_somebody_else_is_found(project: TinyProject) -> None:
    """Everybody's labels come in the same rhythm; a00's does not, for one of them is not late."""
    swap = {"a00": "a07", "a07": "a00"}
    project.tamper(HISTORY, lambda state: state.with_columns(pl.col("author_id").replace(swap)))
    assert joined_and_refused(project).rows >= {"a00-3", "a07-3"}


def test_the_rows_own_label_in_place_of_its_history_is_found(project: TinyProject) -> None:
    """The count is right, the value is the target itself."""
    known = pl.col("tiny_history__mood_mean").is_not_null() & pl.col("mood").is_not_null() & OWN
    own = pl.when(known).then(pl.col("mood").cast(pl.Float32)).otherwise("tiny_history__mood_mean")
    other = project.table(TRAINING_SET).filter(known & ((pl.col("mood") - pl.col("tiny_history__mood_mean")).abs() > 0.01))
    project.tamper(TRAINING_SET, lambda table: table.with_columns(tiny_history__mood_mean=own))
    assert other.height > 0
    assert project.refused("guard") == Refused({RECOUNT}, set(other["row_id"]))


def test_a_history_that_spans_groups_is_found(project: TinyProject) -> None:
    project.tamper(TRAINING_SET, where("a07-2", author_id="a08"))
    refused = project.refused("guard")
    assert "expect_history_within_groups" in refused.checks
    assert refused.rows >= {"a07-2", "a08-0"}


def test_a_history_that_is_not_there_at_all_is_found(project: TinyProject) -> None:
    project.tamper(HISTORY, lambda state: state.filter(~OWN))
    assert joined_and_refused(project) == Refused({RECOUNT}, {f"a07-{number}" for number in range(2, 6)})


def test_content_newer_than_the_question_is_found(project: TinyProject) -> None:
    later = where("a07-2", tiny_lexical__source_at=pl.col("tiny_lexical__source_at") + 1)
    project.tamper(TRAINING_SET, later)
    assert project.refused("guard") == Refused({KNOWN}, {"a07-2"})


def test_content_as_new_as_the_question_is_not(built: TinyProject) -> None:
    rows = built.table(TRAINING_SET)
    assert rows["tiny_lexical__source_at"].equals(rows.select(microseconds("asked_at")).to_series(), check_names=False)


def test_a_text_that_was_edited_later_is_not_joined_and_its_row_is_named(project: TinyProject) -> None:
    """An honest store stamps the edit; the join shows nothing of it, and a row without features does not pass unseen."""
    edited = pl.col("note_id") == "a07-2"
    day = pl.duration(days=1)
    project.tamper(
        LEXICAL,
        lambda table: table.with_columns(
            [
                pl.when(edited).then(pl.col(name) + day).otherwise(name).alias(name)
                for name in ("event_timestamp", "created_timestamp")
            ]
        ),
    )
    assert joined_and_refused(project) == Refused({"expect_column_values_to_not_be_null"}, {"a07-2"})


@pytest.mark.parametrize("column", ["tiny_history__source_at", "tiny_history__mood_count", "tiny_lexical__source_at"])
def test_without_its_evidence_nothing_is_proven(project: TinyProject, column: str) -> None:
    """A check that has nothing to look at is skipped, and a skipped proof is no proof."""
    project.tamper(TRAINING_SET, lambda rows: rows.drop(column))
    seen = project.refused("guard")
    assert seen.checks == ({RECOUNT} if column.endswith("count") else {KNOWN})
    assert seen.rows == set()
