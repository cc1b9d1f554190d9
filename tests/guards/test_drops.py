"""A drop that is good: what it brings, what it leaves as it was, and what is known of the past afterwards."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from made_drops import LATER, Note, corrected, file_of, note
from polars.testing import assert_frame_equal
from tiny_project import HISTORY, STAGES, TRAINING_SET, Refused, TinyProject, digests

from pipelines import let_in
from pipelines.as_of import as_of
from pipelines.drops import check_drop, freeze_profile, ingest_drop
from pipelines.features import Features
from pipelines.quarantine import hand_out, listed
from watertight.core.digests import row_set_digest
from watertight.core.errors import Misuse, Refusal
from watertight.core.tables import read_table

GATES = ("rows", "split", "keys", "training_set", "drift")
GRAPH = STAGES[: STAGES.index("guard") + 1]
SPLIT = "data/tiny/split/split.parquet"


def ingest(project: TinyProject, notes: list[Note], path: Path, created_at: str | None = None) -> dict[str, Any]:
    return ingest_drop(project.work, file_of(notes, path), created_at)


def test_a_check_tells_what_a_drop_would_bring_and_touches_nothing(receiving: TinyProject, tmp_path: Path) -> None:
    before = digests(receiving.root)
    told = check_drop(receiving.work, file_of([*LATER, note(2, 3)], tmp_path / "later.csv"), None)
    assert digests(receiving.root) == before
    counts = {name: told[name] for name in ("drop", "rows", "new", "versions", "repeats", "quarantined", "groups")}
    assert counts == {
        "drop": "later",
        "rows": 11,
        "new": 10,
        "versions": 0,
        "repeats": 1,
        "quarantined": 0,
        "groups": {"known": 3, "new": 2},
    }
    assert {gate: verdict["status"] for gate, verdict in told["gates"].items()} == {
        **dict.fromkeys(GATES, "pass"),
        "drift": "skipped",
    }, "no profile is frozen"


def test_a_drop_joins_the_history_and_what_was_there_stays(receiving: TinyProject, tmp_path: Path) -> None:
    old, old_split = receiving.table(TRAINING_SET), receiving.table(SPLIT)
    told = ingest(receiving, LATER, tmp_path / "later.csv")
    part = receiving.root / "drops" / "tiny" / f"{told['part']}.parquet"
    assert read_table(part)["row_id"].to_list() == [each["row_id"] for each in LATER]
    assert part.with_suffix(".parquet.dvc").is_file(), "the part is DVC's"
    receiving.execute(*GRAPH)
    new = receiving.table(TRAINING_SET)
    assert_frame_equal(new[: old.height], old)
    assert_frame_equal(receiving.table(SPLIT)[: old.height], old_split)
    assert new[old.height :].select("row_id", "drop").rows() == [(each["row_id"], "later") for each in LATER]


def test_the_assignment_follows_from_the_drops_alone(receiving: TinyProject, tmp_path: Path) -> None:
    ingest(receiving, LATER[:5], tmp_path / "later.csv")
    ingest(receiving, LATER[5:], tmp_path / "latest.csv")
    receiving.execute("ingest", "check", "split")
    expected = digests(receiving.root / "data" / "tiny" / "split")
    shutil.rmtree(receiving.root / "data")
    receiving.execute("ingest", "check", "split")
    assert digests(receiving.root / "data" / "tiny" / "split") == expected


def test_the_same_file_twice_changes_nothing_and_says_so(receiving: TinyProject, tmp_path: Path) -> None:
    ingest(receiving, LATER, tmp_path / "later.csv")
    before = digests(receiving.root)
    again = ingest(receiving, LATER, tmp_path / "renamed.csv")
    assert again["nothing new"] == "this file was let in as 'later'"
    assert ingest(receiving, LATER[3:], tmp_path / "some.csv")["nothing new"] == "every row of it is known"
    assert digests(receiving.root) == before


def test_a_drop_of_a_name_that_is_taken_is_named_apart(receiving: TinyProject, tmp_path: Path) -> None:
    first, second = LATER[:5], LATER[5:]
    ingest(receiving, first, tmp_path / "later.csv")
    told = ingest(receiving, second, tmp_path / "later.csv")
    assert [part.name for part in receiving.work.ledger.drops] == ["later", told["drop"]]
    assert told["drop"].startswith("later-")


def test_a_part_that_was_edited_is_refused_and_one_that_is_away_is_asked_for(receiving: TinyProject, tmp_path: Path) -> None:
    told = ingest(receiving, LATER, tmp_path / "later.csv")
    part = receiving.root / "drops" / "tiny" / f"{told['part']}.parquet"
    part.unlink()
    with pytest.raises(Misuse, match="its part is not there"):
        receiving.execute("ingest")
    file_of(LATER[1:], part)
    with pytest.raises(Refusal, match="is not what it was when it was let in"):
        receiving.execute("ingest")


def history_of(project: TinyProject, author: str) -> dict[str, float | None]:
    rows = project.table(TRAINING_SET).filter((pl.col("author_id") == author) & ~pl.col("synthetic")).sort("asked_at")
    return dict(rows.select("row_id", "tiny_history__mood_mean").iter_rows())


def a_correction(project: TinyProject, path: Path) -> None:
    """Of a04-0, which was labelled on day 5: another mood, known on day 12."""
    told = note(4, 0)
    ingest(project, [corrected(told, told["mood"] + 1, 7 * 24)], path)
    project.execute("ingest", "check", "split")


def test_a_correction_counts_from_when_it_was_known_and_the_past_stays(receiving: TinyProject, tmp_path: Path) -> None:
    old, before = receiving.table(TRAINING_SET), history_of(receiving, "a04")
    a_correction(receiving, tmp_path / "corrections.csv")
    receiving.execute(*GRAPH)
    after, new = history_of(receiving, "a04"), receiving.table(TRAINING_SET)
    changed = [row for row in before if after[row] != before[row]]
    assert changed == ["a04-4", "a04-5"], "asked on days 16 and 20; a04-3 was asked the instant the correction came"
    assert new.filter(row_id="a04-0")["mood"].to_list() == [note(4, 0)["mood"] + 1]
    assert_frame_equal(new.select("row_id", "split", "fold", "drop"), old.select("row_id", "split", "fold", "drop"))
    sets = [row_set_digest(table.filter(pl.col("mood").is_not_null()), "mood") for table in (old, new)]
    assert sets[0] != sets[1], "a relabelled row is another row set"


def test_a_history_that_is_told_the_correction_too_early_is_refused(receiving: TinyProject, tmp_path: Path) -> None:
    """The past rewritten: the view is filled from the rows as they are known now, as if the first label never was."""
    a_correction(receiving, tmp_path / "corrections.csv")
    receiving.execute("featurize")
    rows = receiving.table("data/tiny/checked/rows.parquet")
    backdated = rows.with_columns(created_at=pl.when(row_id="a04-0").then("labelled_at").otherwise("created_at"))
    rewritten = table_of_history(receiving, backdated)
    receiving.tamper(HISTORY, lambda _: rewritten)
    receiving.execute("join")
    assert receiving.refused("guard") == Refused({"expect_history_to_match_rows"}, {"a04-2", "a04-3"})


def test_a_history_that_is_never_told_the_correction_is_refused(receiving: TinyProject, tmp_path: Path) -> None:
    stale = receiving.table(HISTORY)
    a_correction(receiving, tmp_path / "corrections.csv")
    receiving.execute("featurize")
    receiving.tamper(HISTORY, lambda _: stale)
    receiving.execute("join")
    assert receiving.refused("guard") == Refused({"expect_history_to_match_rows"}, {"a04-4", "a04-5"})


def table_of_history(project: TinyProject, rows: pl.DataFrame) -> pl.DataFrame:
    features = Features(project.work)
    return features.fill("tiny_history", rows, features.kitchen())


def test_a_late_label_is_known_from_when_it_came(receiving: TinyProject, tmp_path: Path) -> None:
    """a02-5 came without a label. The ones that come with it say no time of their own: the command does."""
    before = receiving.table(SPLIT).filter(row_id="a02-5")["split"].to_list()
    late = note(2, 5)
    came = late["asked_at"] + timedelta(days=30)
    label = {**late, "mood": 1.0, "labelled_at": late["asked_at"] + timedelta(days=5), "created_at": None}
    told = ingest(
        receiving, [label, note(2, 6, asked_at=came + timedelta(hours=1), **UNLABELLED)], tmp_path / "late.csv", came.isoformat()
    )
    receiving.execute(*GRAPH)
    rows = receiving.table(TRAINING_SET)
    assert (told["new"], told["versions"], before) == (1, 1, ["unlabelled"])
    assert rows.filter(row_id="a02-5").select("mood", "created_at").rows() == [(1.0, came)]
    assert rows.filter(row_id="a02-5")["split"].to_list() != ["unlabelled"]
    assert rows.filter(row_id="a02-6")["tiny_history__mood_count"].to_list() == [6], "all six labels are known an hour later"


UNLABELLED = {"mood": None, "energy": None, "labelled_at": None, "created_at": None}


def test_the_test_sets_stay_available_as_they_were(receiving: TinyProject, tmp_path: Path) -> None:
    """New rows of held-out authors, a correction and a late label among the test rows; the old sets are the old sets."""

    def sets(rows: pl.DataFrame) -> dict[tuple[str, str], str]:
        test = rows.filter(pl.col("split").is_in(["test_groups", "test_future"]))
        parts = [(split, target) for split in ("test_groups", "test_future") for target in ("mood", "energy")]
        return {
            (split, name): row_set_digest(test.filter(pl.col(name).is_not_null(), split=split), name) for split, name in parts
        }

    first = receiving.table(TRAINING_SET)
    held_out = int(first.filter(split="test_groups")["author_id"].sort()[0][1:])
    new = [note(author, 6) for author in range(12)]
    fix = corrected(note(held_out, 0), 0.25, 24)
    ingest(receiving, [*new, fix], tmp_path / "later.csv")
    receiving.execute(*GRAPH)
    second = receiving.table(TRAINING_SET)
    ingest(receiving, LATER, tmp_path / "latest.csv")
    receiving.execute(*GRAPH)
    now = receiving.table(TRAINING_SET)
    assert len({tuple(sets(rows).values()) for rows in (first, second, now)}) == 3
    assert sets(as_of(receiving.work, now, "made")) == sets(first)
    assert sets(as_of(receiving.work, now, "later")) == sets(second)
    assert sets(as_of(receiving.work, now, "latest")) == sets(now)
    with pytest.raises(Misuse, match="no drop of 'made' is called 'lter'; did you mean 'later'"):
        as_of(receiving.work, now, "lter")


def test_a_correction_that_comes_after_the_future_began_is_told_to_leave_train(receiving: TinyProject, tmp_path: Path) -> None:
    """And so is that known rows have another history now."""
    told = ingest(receiving, [corrected(note(0, 3), 0.25, 60 * 24)], tmp_path / "late.csv")
    assert told["moved"] == {"train → embargo": "1 row(s), first a00-3"}
    assert "known rows with another history" not in told, "it is newer than everything"
    told = check_drop(receiving.work, file_of([corrected(note(7, 0), 0.25, 1)], tmp_path / "soon.csv"), None)
    assert told["known rows with another history"] == 4, "a07-2 to a07-5 were asked after day five and an hour"


def test_a_group_that_came_without_labels_can_be_labelled_and_go_on(receiving: TinyProject, tmp_path: Path) -> None:
    asked = [note(20, number, **UNLABELLED) for number in range(6)]
    labels = [note(20, number, energy=None, created_at=note(20, 12)["created_at"]) for number in range(6)]
    for name, rows in (
        ("asked", asked),
        ("labels", labels),
        ("more", [note(20, number, energy=None) for number in range(6, 12)]),
    ):
        ingest(receiving, rows, tmp_path / f"{name}.csv")
    receiving.execute(*GRAPH)
    assert receiving.table(TRAINING_SET).filter(author_id="a20").height == 12


def test_the_label_of_a_row_with_a_child_can_be_corrected(receiving: TinyProject, tmp_path: Path) -> None:
    ingest(receiving, [corrected(note(5, 1), 0.25, 60 * 24)], tmp_path / "parent.csv")
    receiving.execute(*GRAPH)
    rows = receiving.table(TRAINING_SET).filter(pl.coalesce("parent_id", "row_id") == "a05-1")
    assert set(rows["split"]) == {"embargo"}, "the child follows"


def test_a_gate_that_is_waived_lets_nothing_in(receiving: TinyProject, tmp_path: Path) -> None:
    params = receiving.root / "params.yaml"
    params.write_text(
        params.read_text().replace("waive: []", "waive: [expect_future_after_training]").replace("gap_days: 5", "gap_days: 4")
    )
    assert receiving.work.params.waive
    late = [
        note(number, 5, row_id=f"x{number}", note_id=f"x{number}", labelled_at=None, mood=None, energy=None)
        for number in range(3)
    ]
    assert ingest(receiving, late, tmp_path / "fine.csv")["new"] == 3, "what passes by itself is let in"
    suite = receiving.root / "expectations" / "tiny.yaml"
    suite.write_text(
        suite.read_text() + "split:\n  - {type: expect_groups_share, kwargs: {split: train, share: 0.1, tolerance: 0.0}}\n"
    )
    params.write_text(params.read_text().replace("expect_future_after_training", "expect_groups_share"))
    with pytest.raises(Refusal, match=r"did not pass \(waived: expect_groups_share\); the drop is not let in"):
        ingest(receiving, LATER, tmp_path / "later.csv")


@pytest.mark.parametrize(
    "check",
    [
        "{type: expect_column_max_to_be_between, kwargs: {column: weight, max_value: 1.0}}",
        "{type: expect_column_values_to_be_between, kwargs: {column: text, min_value: 1}}",
        "{type: expect_column_values_to_not_be_null, kwargs: {column: txt}, meta: {required: true}}",
    ],
    ids=["of the whole column", "that raises", "that is required and skipped"],
)
def test_a_check_on_rows_that_names_no_row_refuses_the_drop(receiving: TinyProject, tmp_path: Path, check: str) -> None:
    suite = receiving.root / "expectations" / "tiny.yaml"
    suite.write_text(suite.read_text().replace("rows:\n", f"rows:\n  - {check}\n"))
    with pytest.raises(Refusal, match="gate 'rows' refused"):
        ingest(receiving, [{**each, "weight": 5.0} for each in LATER], tmp_path / "later.csv")


# Bad rows.


def test_bad_rows_wait_in_quarantine_until_they_are_mended(receiving: TinyProject, tmp_path: Path) -> None:
    bad = [note(12, 2, mood=3), note(12, 3, text=None), note(12, 4, mood="much"), note(4, 0, text="another text")]
    path = file_of([*map(stringly, LATER), *map(stringly, bad)], tmp_path / "mixed.csv")
    with pytest.raises(Refusal, match=r"4 of 14 rows of mixed\.csv would be quarantined"):
        check_drop(receiving.work, path, None)
    told = ingest_drop(receiving.work, path, None)
    assert (told["new"], told["quarantined"]) == (10, 4)
    waiting = {row: line["reason"] for line in listed(receiving.work) for row in line["first"].split(", ")}
    assert set(waiting) == {"a12-2", "a12-3", "a12-4", "a04-0"}
    assert "expect_column_values_to_be_between" in waiting["a12-2"]
    assert "expect_column_values_to_not_be_null" in waiting["a12-3"]
    assert waiting["a12-4"] == "mood is no finite number"
    assert waiting["a04-0"] == "the row_id stands for another row already; only labels may change"

    mended = tmp_path / "mended.csv"
    assert hand_out(receiving.work, mended) == 4
    table = pl.read_csv(mended, infer_schema=False).filter(pl.col("row_id") != "a04-0")
    table.with_columns(mood=pl.lit("1"), text=pl.col("text").fill_null("mended")).write_csv(mended)
    assert ingest_drop(receiving.work, mended, None)["new"] == 3
    assert [line["first"] for line in listed(receiving.work)] == ["a04-0"], "known, but not with this text"
    receiving.execute(*GRAPH)
    assert receiving.table(TRAINING_SET).filter(row_id="a12-3")["text"].to_list() == ["mended"]


def stringly(told: Note) -> Note:
    return {name: None if value is None else str(value) for name, value in told.items()}


def test_a_file_with_bad_rows_twice_is_known_too_and_handing_out_overwrites_nothing(
    receiving: TinyProject, tmp_path: Path
) -> None:
    mixed = [*LATER, note(12, 2, mood=3)]
    ingest(receiving, mixed, tmp_path / "mixed.csv")
    assert ingest(receiving, mixed, tmp_path / "mixed.csv")["nothing new"] == "this file was let in as 'mixed'"
    precious = tmp_path / "precious.csv"
    precious.write_text("mine")
    for place in (precious, tmp_path / "nowhere" / "x.csv"):
        with pytest.raises(Misuse, match="is not a place for a new file"):
            hand_out(receiving.work, place)
    assert precious.read_text() == "mine"
    shutil.rmtree(receiving.root / "data" / "quarantine")
    assert [(line["rows"], line["reason"][:12]) for line in listed(receiving.work)] == [(1, "set aside on")]


def test_the_quarantine_of_a_drop_outlives_the_check_stage(receiving: TinyProject, tmp_path: Path) -> None:
    ingest(receiving, [*LATER, note(12, 2, mood=3)], tmp_path / "mixed.csv")
    receiving.execute("ingest", "check")
    assert [line["first"] for line in listed(receiving.work)] == ["a12-2"]


def test_children_of_bad_rows_wait_with_them(receiving: TinyProject, tmp_path: Path) -> None:
    parent = note(12, 2, mood=3)
    child = {**note(12, 2), "row_id": "c", "note_id": "c", "parent_id": "a12-2", "synthetic": True}
    assert ingest(receiving, [*LATER, parent, child], tmp_path / "family.csv")["quarantined"] == 2


# Killed in between.


def test_a_drop_whose_letting_in_died_is_let_in_by_the_same_command(
    receiving: TinyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    before = (receiving.root / "drops" / "tiny" / "ledger.json").read_bytes()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(let_in, "write_ledger", dies)
        ingest(receiving, LATER, tmp_path / "later.csv")
    assert (receiving.root / "drops" / "tiny" / "ledger.json").read_bytes() == before
    receiving.execute("ingest")
    assert receiving.table("data/tiny/rows/rows.parquet").height == 76, "what is not in the ledger does not count"
    assert ingest(receiving, LATER, tmp_path / "later.csv")["new"] == 10
    receiving.execute("ingest")
    assert receiving.table("data/tiny/rows/rows.parquet").height == 86


def test_the_profile_is_all_that_is_known_when_it_is_frozen(receiving: TinyProject, tmp_path: Path) -> None:
    frozen = freeze_profile(receiving.work)
    assert (frozen["drops"], frozen["rows"], frozen["groups"]) == (("made",), 76, 12)
    ingest(receiving, LATER, tmp_path / "later.csv")
    reference = receiving.work.ledger.reference
    assert reference is not None
    assert reference.drops == ("made",), "a drop that is let in moves nothing"
    assert freeze_profile(receiving.work)["drops"] == ("made", "later")


# Drift. Twelve authors are few: many more bring the same and then other texts. In the tiny source the words tell the energy,
# which the target-leak check finds once there are rows enough; so the crowd leaves it out.


def crowd(first: int, **changes: Any) -> list[Note]:
    return [note(author, number, energy=None, **changes) for author in range(first, first + 40) for number in range(6)]


def test_a_drop_that_drifts_beyond_the_bound_is_refused_whole(receiving: TinyProject, tmp_path: Path) -> None:
    ingest(receiving, crowd(20), tmp_path / "first.csv")
    receiving.execute(*GRAPH)
    freeze_profile(receiving.work)
    told = check_drop(receiving.work, file_of(crowd(60), tmp_path / "alike.csv"), None)
    failed = [check for check in told["gates"]["drift"]["checks"] if check["status"] == "fail"]
    assert [check["severity"] for check in failed] in ([], ["info"]), "a history may grow, content is as it was"
    assert told["gates"]["drift"]["counts"]["pass"] > 2
    before = without_locks(receiving)
    other = file_of(
        crowd(60, text="an utterly different text, much longer than any that was known before it came"), tmp_path / "other.csv"
    )
    for command in (check_drop, ingest_drop):
        with pytest.raises(Refusal, match="gate 'drift' refused") as caught:
            command(receiving.work, other, None)
        assert "tiny_lexical__word_count_log" in caught.value.what
    assert without_locks(receiving) == before


def without_locks(project: TinyProject) -> dict[str, str]:
    return {name: digest for name, digest in digests(project.root).items() if not name.endswith(".lock")}


def test_without_the_rows_of_the_profile_nothing_is_compared(receiving: TinyProject, tmp_path: Path) -> None:
    freeze_profile(receiving.work)
    receiving.tamper(TRAINING_SET, lambda rows: rows[5:])
    with pytest.raises(Misuse, match="5 of the 76 rows of the reference profile are not in the training set"):
        check_drop(receiving.work, file_of(LATER, tmp_path / "later.csv"), None)
