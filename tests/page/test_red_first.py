"""What is red stands before everything else, and says how many rows, which, against which rule, and how to see them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from made_outputs import Made, check, rows
from read_page import Element

from watertight.core.tables import read_json
from watertight.page.commands import shows_slice

CLEAN = {"absent": False, "targets": ("mood",)}
Shown = Callable[[Made], Element]


def conditions(page: Element) -> list[tuple[str, dict[str, str]]]:
    """The head of each condition, and its facts by name."""
    [section] = page.all("section", id="conditions")
    found = []
    for item in section.all("li"):
        names, values = item.all("dt"), item.all("dd")
        facts = {name.text: value.text for name, value in zip(names, values, strict=True)}
        found.append((item.all("p", class_="head")[0].text, facts))
    return found


def concerning(page: Element) -> list[tuple[str, dict[str, str]]]:
    """The conditions that do not bar another cell than the registered one: the mean is always barred."""
    return [(head, facts) for head, facts in conditions(page) if "which is not registered" not in head]


def shell(command: str, folder: Path) -> str:
    """What a command of the page prints, run as a reader would."""
    command = re.sub("^python", sys.executable, command)
    return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout


def test_nothing_red_is_said_plainly_with_how_much_was_looked_at(shown: Shown) -> None:
    page = shown(Made(**CLEAN))
    [section] = page.all("section", id="conditions")
    assert concerning(page) == []
    assert "Nothing is red that concerns the registered cell" in section.text
    sets, of_few_groups = 1 + 3 + 3, 1
    gates, cells, checks_of_a_cell = 5, 5, 5
    declared = 1 + 1 + 2 + cells
    looked_at = gates + cells * checks_of_a_cell + (sets - of_few_groups) + declared
    assert f"{looked_at} conditions were looked at" in section.text


def test_red_conditions_are_the_first_section(plain: str, shown: Shown) -> None:
    page = shown(Made(**CLEAN, shift=3.0))
    first = page.all("main")[0].all("section")[0]
    assert first.attributes["id"] == "conditions"
    assert page.all("h2")[0].text == "Conditions"


def test_a_waived_check_names_count_rule_rows_and_a_command_that_prints_them(shown: Shown, tmp_path: Path) -> None:
    planted = check("expect_groups_in_one_fold", "fail", rows=("r003", "r005", "r007"), kwargs={"key": "author"})
    page = shown(Made(**CLEAN, checks=[planted], status="waived"))
    [(head, facts)] = concerning(page)
    assert head == "✖ red · waived · gate training_set"
    assert facts["rule"] == "expect_groups_in_one_fold(key='author')"
    assert facts["rows"] == "3, first r003, r005, r007"
    told = shell(facts["show"], tmp_path / "project")
    assert all(row in told for row in ("r003", "r005", "r007"))
    assert "(3, " in told


@pytest.mark.parametrize(
    ("planted", "status", "expected"),
    [
        (check("a", "fail", "warning"), "pass", "▲ amber · failed, a warning"),
        (check("a", "skipped", reason="no column"), "pass", "▲ amber · skipped"),
        (check("a", "skipped", reason="no column"), "waived", "✖ red · skipped, perhaps waived"),
        (check("a", "fail"), "fail", "✖ red · failed"),
        (check("a", "fail", "warning"), "waived", "▲ amber · failed, a warning"),
    ],
)
def test_how_a_check_that_did_not_pass_is_told(shown: Shown, planted: dict, status: str, expected: str) -> None:
    [(head, facts)] = concerning(shown(Made(**CLEAN, checks=[planted], status=status)))
    assert head == f"{expected} · gate training_set"
    assert facts.get("found", "") == planted["reason"]
    assert facts["show"] == "python -m json.tool artifacts/toy/guard/verdict.json"


def test_a_slice_in_which_the_registered_cell_is_worse_is_red(shown: Shown, tmp_path: Path) -> None:
    page = shown(Made(**CLEAN, shift=3.0, width=5.0, cells=("mean", "short"), registered="short"))
    heads = [head for head, _ in conditions(page)]
    assert "✖ red · worse than the baseline · mood, cell short, language: de" in heads
    assert not any("language: en" in head or "language: fr" in head for head in heads)
    facts = dict(conditions(page))["✖ red · worse than the baseline · mood, cell short, language: de"]
    table = rows(Made()).filter(pl.col("mood").is_not_null() & (pl.col("language") == "de"))
    assert facts["rows"] == f"{table.height}, first {', '.join(table['row_id'].head(5))}"
    assert re.fullmatch(r"rmse is not clearly above that of mean, \d\.\d{4}", facts["rule"])
    assert f"({table.height}, " in shell(facts["show"], tmp_path / "project")


def test_intervals_that_do_not_cover_are_red_overall_and_amber_by_slice_as_the_gate_says(shown: Shown, tmp_path: Path) -> None:
    found = dict(conditions(shown(Made(**CLEAN, width=0.3))))
    evaluation = read_json(tmp_path / "project" / "artifacts" / "toy" / "evaluate" / "evaluation.json")
    [checks] = [told["verdict"]["checks"] for told in evaluation["models"] if told["cell"] == "sure"]
    told = {check["type"]: check for check in checks}
    overall, slices = told["expect_intervals_to_cover"], told["expect_intervals_to_cover_slices"]
    facts = found["✖ red · failed · gate model, mood, cell sure"]
    assert facts["rule"] == "expect_intervals_to_cover(confidence=0.99)"
    assert facts["found"] == overall["reason"]
    assert facts["rows"] == f"{overall['count']}, first {', '.join(overall['row_ids'][:5])}"
    assert "plain_low 0.8" in facts["figures"] and "design_effect 1" in facts["figures"]
    assert all(row in shell(facts["show"], tmp_path / "project") for row in overall["row_ids"][:3])
    outside = [f"{line['slice']}: {line['value']}" for line in slices["figures"]["slices"] if not line["within"]]
    facts = found["▲ amber · failed, a warning · gate model, mood, cell sure"]
    assert facts["columns"] == ", ".join(outside)
    assert len(outside) > 3


def test_a_cell_that_is_not_registered_is_barred_and_comes_after_what_concerns_the_registered_one(shown: Shown) -> None:
    page = shown(Made(**CLEAN, width=0.3))
    heads = [head for head, _ in conditions(page)]
    barred = "✖ red · barred · gate model, cell mean, which is not registered"
    assert heads.index(barred) > heads.index("✖ red · failed · gate model, mood, cell sure")
    facts = dict(conditions(page))[barred]
    assert facts["rule"] == "expect_no_collapse(least_spread=0.05, most_crowd=0.9)"
    assert facts["columns"] == "mood"
    assert facts["found"].startswith("mood: predictions spread 0.000 of the labels, at least 0.05; 100.0% of them")
    [section] = page.all("section", id="conditions")
    assert "✖ 1 red of cells that are not registered, which bar only these" in section.text


def test_every_gate_of_the_run_is_told_and_drift_where_it_was_judged(shown: Shown) -> None:
    planted = check("expect_features_not_to_drift", "fail", columns=["words", "mood"], figures={"words": 0.31, "tests": 12})
    page = shown(Made(**CLEAN, drift=[planted]))
    facts = dict(conditions(page))["✖ red · failed · gate drift"]
    assert facts["columns"] == "words, mood"
    assert facts["figures"] == "tests 12, words 0.31"
    assert facts["show"] == "python -m json.tool artifacts/toy/guard/drift.json"
    [verdicts] = [table for table in page.all("table") if table.all("caption")[0].text == "Verdicts"]
    assert [row["gate"] for row in verdicts.table()] == ["rows", "split", "training_set", "drift", "out_of_fold", "serving"]


def test_rows_that_were_quarantined_are_amber_and_shown_from_the_rows_that_came(shown: Shown, tmp_path: Path) -> None:
    planted = check("expect_readable_text", "fail", rows=("r999",), kwargs={"column": "text"})
    [(head, facts)] = concerning(shown(Made(**CLEAN, row_checks=[planted])))
    assert head == "▲ amber · failed, its rows are quarantined · gate rows"
    place = tmp_path / "project" / "data" / "toy" / "rows"
    place.mkdir()
    pl.DataFrame({"row_id": ["r998", "r999"], "text": ["a", "b"]}).write_parquet(place / "rows.parquet")
    assert "r999" in shell(facts["show"], tmp_path / "project")


def test_what_is_left_out_is_amber_and_comes_after_what_is_red(shown: Shown) -> None:
    page = shown(Made(targets=("mood",), width=0.3))
    heads = [head for head, _ in conditions(page)]
    assert heads[-1] == "▲ amber · left out · slice absent"
    first_amber = next(place for place, head in enumerate(heads) if head.startswith("▲ amber"))
    assert all(head.startswith("✖ red") for head in heads[:first_amber])
    assert all(head.startswith("▲ amber") for head in heads[first_amber:])
    assert conditions(page)[-1][1]["found"] == "the source has no column 'absent'"


def test_the_command_of_every_slice_prints_its_rows(tmp_path: Path) -> None:
    values = pl.DataFrame({"row_id": list("abcdef"), "split": "train", "synthetic": False, "y": 1.0})
    odd = values.with_columns(
        n=pl.Series([1.0, 9.0, 10.0, 100.0, 101.0, None]), c=pl.Series(["it's", 'a "b"', "$HOME", "`x`", "\\n", "é"])
    )
    place = tmp_path / "data" / "toy" / "training_set"
    place.mkdir(parents=True)
    odd.write_parquet(place / "training_set.parquet")
    expected = {"≤ 9": "ab", "≤ 100": "cd", "> 100": "e", "(null)": "f"}
    for value, wanted in expected.items():
        told = shell(shows_slice("toy", "y", "n", value, (9.0, 100.0)), tmp_path)
        assert re.findall(r"^│ ([a-f]) ", told, re.MULTILINE) == list(wanted)
    for row, value in zip("abcdef", odd["c"], strict=True):
        assert re.findall(r"^│ ([a-f]) ", shell(shows_slice("toy", "y", "c", value, ()), tmp_path), re.MULTILINE) == [row]
