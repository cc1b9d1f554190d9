"""What a leak is worth can be measured: its check is waived by name, told all the same, and nothing is registered."""

from __future__ import annotations

import polars as pl
import pytest
import yaml
from tiny_project import TRAINING_SET, TinyProject

from watertight.core.errors import Misuse, Refusal

BY_ROW = ("expect_groups_in_one_fold", "expect_own_group_unseen", "expect_inputs_out_of_fold")
OWN_LABEL = ("expect_known_when_asked", "expect_history_to_match_rows")


def declare(project: TinyProject, **sections: object) -> None:
    path = project.root / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, value in sections.items():
        mine = params["tiny"].get(name)
        params["tiny"][name] = {**(mine or {}), **value} if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(params), encoding="utf-8")


def test_folds_by_row_are_refused_and_named(project: TinyProject) -> None:
    declare(project, split={"folds_by": "row"})
    refused = project.refused("split")
    assert refused.checks == {"expect_groups_in_one_fold"}
    assert len(refused.rows) > 10


def test_folds_by_row_keep_the_splits_and_the_children_beside_their_parents(project: TinyProject) -> None:
    before = project.table("data/tiny/split/split.parquet")
    declare(project, split={"folds_by": "row"}, waive=["expect_groups_in_one_fold"])
    project.execute("split")
    after = project.table("data/tiny/split/split.parquet")
    assert after.select("row_id", "split").equals(before.select("row_id", "split"))
    fold = dict(after.filter(pl.col("split") == "train").select("row_id", "fold").iter_rows())
    assert fold["a07-0-child"] == fold["a07-0"]
    assert sorted(set(fold.values())) == [0, 1, 2, 3, 4]


def test_waived_by_name_the_run_goes_on_and_nothing_of_it_is_registered(project: TinyProject) -> None:
    declare(project, split={"folds_by": "row"}, waive=list(BY_ROW))
    project.execute("split", "join", "guard", "train", "evaluate")
    verdict = project.verdict("data/tiny/split/split.json")
    assert verdict["status"] == "waived"
    failed = {check["type"]: check["severity"] for check in verdict["checks"] if check["status"] == "fail"}
    assert failed == {"expect_groups_in_one_fold": "critical", "expect_no_duplicates_across_splits": "warning"}
    with pytest.raises(Refusal, match=r"gate 'training_set' did not pass \(waived: expect_groups_in_one_fold\); its models"):
        project.execute("register")


def test_what_was_waived_stays_so_when_the_waiver_is_taken_back(project: TinyProject) -> None:
    """No later stage sees an own label: the verdict of guard is all that tells, and it is of the run, not of today's params."""
    declare(project, featurize={"label_delay_us": 0}, waive=list(OWN_LABEL))
    project.execute("featurize", "join", "guard", "train", "evaluate")
    declare(project, waive=[])
    with pytest.raises(Refusal, match="waived: expect_known_when_asked, expect_history_to_match_rows"):
        project.execute("register")
    with pytest.raises(Refusal, match="its features do not go online"):
        project.execute("materialize")


def test_a_label_that_is_used_at_its_own_instant_is_refused_and_named(project: TinyProject) -> None:
    declare(project, featurize={"label_delay_us": 0})
    project.execute("featurize", "join")
    refused = project.refused("guard")
    assert refused.checks == set(OWN_LABEL)
    table = project.table(TRAINING_SET)
    own = table.filter(pl.col("tiny_history__source_at") >= pl.col("asked_at").dt.epoch("us"))
    assert set(own["row_id"]) <= refused.rows and own.height
    declare(project, waive=list(OWN_LABEL))
    project.execute("guard")


def test_a_waived_check_must_exist(project: TinyProject) -> None:
    declare(project, waive=["expect_group_in_one_fold"])
    with pytest.raises(Misuse, match="did you mean 'expect_groups_in_one_fold'"):
        project.execute("split")


def test_a_check_that_is_waived_and_passes_bars_nothing(project: TinyProject) -> None:
    declare(project, waive=list(BY_ROW))
    project.execute("split", "join", "guard", "train", "evaluate", "register")
    assert project.verdict("data/tiny/split/split.json")["status"] == "pass"
