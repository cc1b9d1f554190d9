"""What the gates find on three real data sets, told in docs/gates.md.

    WATERTIGHT_RAW=folder-of-the-raw-files PYTHONPATH=. python benchmarks/gates.py

Reads every raw file as a drop, by the queries and contracts in ``benchmarks/real`` (those of ``perception`` are its own), and
runs the gates on the rows: as they are, split by their groups, and split as they should not be. Nothing is trained and
nothing but the page is written.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import pkgutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import ftfy.badness
import polars as pl

import watertight.checks
from pipelines.raw_file import read_raw
from watertight.checks.base import TableCheck
from watertight.checks.suite import CONTRACT, Check, declared, judge
from watertight.checks.verdict import CheckResult, Verdict
from watertight.core.contract import SourceContract
from watertight.core.declare import parse, read_yaml
from watertight.core.rows import labelled, typed_rows
from watertight.core.workload import SplitParams, TestFuture, TestGroups
from watertight.evaluation.splitting import split_rows

ROOT = Path(__file__).parents[1]
PAGE, REAL = ROOT / "docs" / "gates.md", ROOT / "benchmarks" / "real"
RAW = Path(os.environ.get("WATERTIGHT_RAW", ROOT / "data" / "raw"))
DROPPED_AT = "2024-01-01"
TRANSLATED = dict(zip(range(31, 51), (*range(111, 121), *range(101, 111))))
FEATURE_CHECKS = ("no_constant_feature", "no_identifier_feature", "no_target_leak", "null_share_below")
LISTS = ("question", "question_vicuna")
PLANTED = "planted_"
RATING = r"\[\[(\d+(?:\.\d+)?)\]\]"
Fact = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A data set: its name, the query and contract (without their endings), its raw files, how it is split, what models see."""

    name: str
    declared: Path
    folder: str
    files: tuple[str, ...]
    new: str
    split: SplitParams
    features: Mapping[str, pl.Expr]

    @property
    def contract(self) -> SourceContract:
        path = self.declared.with_suffix(".yaml")
        return parse(SourceContract, read_yaml(path), path.name)

    def rows(self) -> pl.DataFrame:
        """The typed rows of every file, one below the other."""
        query = self.declared.with_suffix(".sql").read_text(encoding="utf-8")
        found = [self._drop(path, query) for pattern in self.files for path in sorted((RAW / self.folder).glob(pattern))]
        return pl.concat(found)

    def _drop(self, path: Path, query: str) -> pl.DataFrame:
        raw, name = read_raw(path), path.stem.removesuffix(".annotations")
        absent = [pl.lit(None, dtype=pl.String).alias(each) for each in self.contract.optional if each not in raw.columns]
        told = [pl.lit(name).alias("file"), pl.lit(DROPPED_AT).alias("dropped_at"), *absent]
        with duckdb.connect() as connection:
            connection.register("raw", raw.with_row_index("line", offset=1).with_columns(told).to_arrow())
            return typed_rows(pl.DataFrame(connection.sql(query).to_arrow_table()), self.contract, name)


def words(column: str) -> pl.Expr:
    return pl.col(column).str.count_matches(r"\S+")


GROUPS = TestGroups(share=0.15)
PERCEPTION = Source(
    "SemEval-2026",
    ROOT / "pipelines" / "sources" / "perception" / "semeval2026",
    "perception/semeval2026_task2",
    ("train_subtask1.csv", "test_subtask1.csv"),
    "test_subtask1",
    SplitParams(seed=7, folds=5, test_groups=GROUPS, test_future=TestFuture(share=0.15, gap_days=7)),
    {"words": pl.col("words"), "is_words": pl.col("is_words"), "collection_phase": pl.col("collection_phase")},
)
JUDGE = Source(
    "MT-bench scores",
    REAL / "judge",
    "judge/mtbench_gpt4_single",
    ("dontpanic*", "dreamingpanda*", "jxiw*", "lmsys*", "medusa*"),
    "lmsys_japanese_6b6c9dd",
    SplitParams(seed=7, folds=5, test_groups=GROUPS),
    {
        "model": pl.col("model"),
        "turn": pl.col("turn"),
        "asked_how": pl.col("asked_how"),
        "question_words": words("question"),
        "answer_words": words("answer"),
        f"{PLANTED}place": pl.int_range(pl.len()),
        f"{PLANTED}judgment_rating": pl.col("judgment").str.extract(RATING).cast(pl.Float64),
    },
)
PREFERENCE = Source(
    "AlpacaEval",
    REAL / "preference",
    "preference/alpaca_eval",
    ("*.json",),
    "alpaca-7b",
    SplitParams(seed=7, folds=5, test_groups=GROUPS),
    {
        "generator_1": pl.col("generator_1"),
        "generator_2": pl.col("generator_2"),
        "dataset": pl.col("dataset"),
        "annotator": pl.col("annotator"),
        "price_per_example": pl.col("price_per_example"),
        "time_per_example": pl.col("time_per_example"),
        "words_1": words("output_1"),
        "words_2": words("output_2"),
        f"{PLANTED}preferred": pl.col("preferred"),
    },
)
SOURCES = (PERCEPTION, JUDGE, PREFERENCE)


def main() -> None:
    """Put the table of checks into the page; unless no more is asked, read, judge and count, and put in what is found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", action="store_true", help="write the table of checks alone, which needs no data")
    only_checks = parser.parse_args().checks
    _write({"checks": _table(list(known_checks()))})
    if not only_checks:
        _write(_found())


def _found() -> dict[str, str]:
    rows = {source.name: source.rows() for source in SOURCES}
    blocks = {"rows": _table([_shape(source, rows[source.name]) for source in SOURCES])}
    blocks["rows-gate"] = _verdicts((source.name, "", judge_rows(source, rows[source.name])) for source in SOURCES)
    good = {name: each.filter(pl.col("score") > 0) if "score" in each.columns else each for name, each in rows.items()}
    split = {source.name: folded(source, good[source.name], "group") for source in SOURCES}
    told = [*_perception(split[PERCEPTION.name]), *_judged(split[JUDGE.name]), *_pairs(split[PREFERENCE.name])]
    blocks["facts"] = _table(told)
    dealt = {source.name: folded(source, good[source.name], "row") for source in SOURCES}
    blocks["split-gate"] = _verdicts(
        (source.name, how, judge_split(source, parts[source.name]))
        for source in SOURCES
        for how, parts in (("groups apart", split), ("rows dealt", dealt))
    )
    blocks["features"] = _verdicts((source.name, "", judge_features(source, split[source.name])) for source in SOURCES)
    drift = [(source.name, source.new, judge_drift(source, split[source.name])) for source in SOURCES]
    blocks["drift"] = _verdicts(drift, "new drop", passed=True)
    return blocks


def known_checks() -> Iterator[Fact]:
    """Every check of the platform: what it takes, by default; where it runs, by default; and what it refuses."""
    for module in pkgutil.iter_modules(watertight.checks.__path__):
        importlib.import_module(f"watertight.checks.{module.name}")
    where = defaultdict(list)
    for kind, gate, severity in _wired():
        where[kind] += [f"{gate}, {severity}"]
    for kind in sorted(set(_kinds(TableCheck)), key=lambda kind: kind.expectation_type):
        own = {name: field for name, field in kind.__fields__.items() if name not in TableCheck.__fields__}
        taken = ", ".join(name if field.required else f"{name}={field.default}" for name, field in own.items())
        told = " ".join((kind.__doc__ or "").split("\n\n")[0].split()).replace("``", "`")
        gates = "; ".join(dict.fromkeys(where[kind.expectation_type])) or "where declared"
        yield {"check": f"`{kind.expectation_type}`", "takes": taken, "asked by default": gates, "what must hold": told}


def _kinds(parent: type[TableCheck]) -> Iterator[type[TableCheck]]:
    for kind in parent.__subclasses__():
        yield from _kinds(kind)
        if kind.__name__.startswith("Expect"):
            yield kind


def _wired() -> Iterator[tuple[str, str, str]]:
    """The checks that run without being declared by a workload: by the contract, or by the stage that knows their arguments."""
    for gate, checks in read_yaml(CONTRACT).items():
        for check in checks:
            yield check["type"], f"`{gate}`", check.get("severity", "critical")
    for path in (ROOT / "pipelines").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Check":
                words = {word.arg: word.value for word in node.keywords if word.arg in ("type", "severity")}
                given = {name: value.value for name, value in words.items() if isinstance(value, ast.Constant)}
                if "type" in given:
                    severity = given.get("severity", "critical") if len(given) == len(words) else "as the stage says"
                    yield given["type"], f"by `{path.stem}`", severity


def judge_rows(source: Source, rows: pl.DataFrame) -> Verdict:
    """The contract's checks, and what the source's contract says of its targets and texts."""
    ranges = [
        Check(
            type="expect_column_values_to_be_between",
            kwargs=dict(column=name, min_value=target.range[0], max_value=target.range[1]),
        )
        for name, target in source.contract.targets.items()
        if target.range
    ]
    texts = [Check(type="expect_readable_text", kwargs={"column": name}) for name in source.contract.text]
    filled = [
        Check(type="expect_column_value_lengths_to_be_between", kwargs={"column": name, "min_value": 1})
        for name in source.contract.text
    ]
    return judge("rows", rows, [*declared("rows", None), *ranges, *texts, *filled])


def folded(source: Source, rows: pl.DataFrame, by: str) -> pl.DataFrame:
    """The rows with their split, fold and the features of the source; ``by`` group, or by row as should not be."""
    marked = rows.with_columns(labelled(source.contract).alias("labelled"))
    splitting = split_rows(marked, marked, source.split.model_copy(update={"folds_by": by}), [])
    features = [expression.alias(f"feature__{name}") for name, expression in source.features.items()]
    return rows.join(splitting.rows, on="row_id", how="left", maintain_order="left").with_columns(features)


def judge_split(source: Source, rows: pl.DataFrame) -> Verdict:
    """The contract's checks and, of each text, that it stands in one place only."""
    texts = [Check(type="expect_no_duplicates_across_splits", kwargs={"column": name}) for name in source.contract.text]
    future = Check(type="expect_future_after_training", kwargs={"gap_days": source.split.test_future.gap_days})
    return judge("split", rows, [*declared("split", None), future, *texts])


def judge_features(source: Source, rows: pl.DataFrame) -> Verdict:
    """What is asked of each feature by itself, planted ones among them."""
    checks = [Check(type=f"expect_{what}") for what in FEATURE_CHECKS]
    return judge("training_set", rows, checks, features=tuple(_features(rows)), targets=source.contract.targets)


def judge_drift(source: Source, rows: pl.DataFrame) -> Verdict:
    """One drop beside all others as their reference; and the held-out groups beside those that are trained on."""
    checks = [Check(type="expect_text_unchanged", kwargs={"column": name}) for name in source.contract.text]
    checks += [Check(type=f"expect_{what}") for what in ("features_unchanged", "labels_unchanged", "train_like_test")]
    honest = [name for name in _features(rows) if PLANTED not in name]
    others = tuple(name for name in rows["drop"].unique(maintain_order=True) if name != source.new)
    return judge("drift", rows, checks, features=tuple(honest), targets=source.contract.targets, reference=others)


def _features(rows: pl.DataFrame) -> list[str]:
    return [name for name in rows.columns if name.startswith("feature__")]


def _shape(source: Source, rows: pl.DataFrame) -> Fact:
    sizes = rows.group_by("group_id").len()["len"]
    return {
        "data set": source.name,
        "files": rows["drop"].n_unique(),
        "rows": f"{rows.height:,}",
        "labelled": f"{rows.filter(labelled(source.contract)).height:,}",
        "groups": f"{len(sizes):,} ({source.contract.group})",
        "rows per group": f"{sizes.min()} to {sizes.max()}, median {sizes.median():g}",
    }


def _perception(rows: pl.DataFrame) -> Iterator[Fact]:
    known = rows.filter(pl.col("drop") == "train_subtask1")
    new = rows.filter(pl.col("drop") != "train_subtask1")
    tell = _teller(PERCEPTION)
    both = known["group_id"].unique().filter(known["group_id"].unique().is_in(new["group_id"].unique().to_list()))
    yield tell("authors in the test file who also wrote in the train file", len(both), new["group_id"].n_unique())
    same = rows.filter(pl.len().over("text") > 1)
    yield tell("rows whose very text stands in another row", same.height, rows.height)
    yield tell("… of another author", same.filter(pl.col("author_id").n_unique().over("text") > 1).height, rows.height)
    yield tell("… in the other file", same.filter(pl.col("drop").n_unique().over("text") > 1).height, rows.height)
    twice = known.filter(pl.len().over("text") > 1)
    apart = twice.filter((pl.col("valence").max() - pl.col("valence").min()).over("text") >= 2)
    yield tell("rows of the train file whose text has labels of valence 2 or more apart", apart.height, known.height)
    yield tell("rows with the commonest valence", *_modal(known["valence"]))
    yield tell("rows with the commonest arousal", *_modal(known["arousal"]))
    yield tell("texts that ftfy takes for mojibake", *_mojibake(rows, "text"))


def _judged(rows: pl.DataFrame) -> Iterator[Fact]:
    tell = _teller(JUDGE)
    models = rows.group_by("group_id").agg(pl.col("model").n_unique())["model"]
    yield tell("questions answered by more than one model", int((models > 1).sum()), len(models))
    place = dict(rows.select("group_id", pl.concat_str("split", pl.col("fold").fill_null(-1), separator=" ")).iter_rows())
    apart = [japanese for japanese, english in TRANSLATED.items() if place[f"ja-{japanese}"] != place[f"en-{english}"]]
    yield tell("Japanese questions 31 to 50, translations of English ones, dealt to another place", len(apart), len(TRANSLATED))
    english = pl.concat([read_raw(RAW / JUDGE.folder / f"{name}.jsonl").select("question_id", "turns") for name in LISTS])
    named = rows.filter(pl.col("group_id").str.starts_with("ja-"))["asked_id"].unique().cast(pl.Int64)
    taken = named.is_in(english["question_id"].to_list()).sum()
    yield tell("numbers of Japanese questions that number another, English question", int(taken), len(named))
    listed = english["turns"].explode().str.strip_chars().to_list()
    own = rows.filter(pl.col("group_id").str.starts_with("en-"))
    yield tell(
        "English rows whose question is one of the lists', word for word",
        own.filter(pl.col("question").is_in(listed)).height,
        own.height,
    )
    whole = ["model", "question", "answer", "turn", "judgment", "score"]
    copied = rows.filter(pl.col("drop").n_unique().over(whole) > 1)
    files = copied.group_by("drop").len().sort("len", "drop", descending=[True, False])["drop"]
    yield tell(f"rows that stand in two files alike, judgment and all: {', '.join(files)}", copied.height, rows.height)
    answer = ["question", "answer", "turn"]
    given = rows.filter(pl.col("answer") != "").group_by(answer).agg(pl.col("model", "judgment").n_unique(), pl.col("score"))
    yield tell("different answers", given.height, rows.height)
    yield tell("… given by several models word for word", given.filter(pl.col("model") > 1).height, given.height)
    judged = given.filter(pl.col("judgment") > 1)
    yield tell("… judged more than once", judged.height, given.height)
    spread = judged["score"].list.max() - judged["score"].list.min()
    yield tell("… of these, with different scores", int((spread > 0).sum()), judged.height)
    yield tell("… of these, with scores 3 or more apart", int((spread >= 3).sum()), judged.height)
    rating = pl.col("judgment").str.extract(RATING).cast(pl.Float64)
    yield tell("judgments that hold the score itself", rows.filter(rating == pl.col("score")).height, rows.height)
    yield tell("rows with the commonest score", *_modal(rows["score"]))
    ends = rows.filter(pl.col("score").is_in([1.0, 2.0, 9.0, 10.0]))
    yield tell("rows with a score of 1, 2, 9 or 10", ends.height, rows.height)
    yield tell("answers that ftfy takes for mojibake", *_mojibake(rows, "answer"))


def _pairs(rows: pl.DataFrame) -> Iterator[Fact]:
    tell = _teller(PREFERENCE)
    yield tell("different models behind `output_1`", rows["generator_1"].n_unique(), rows["generator_2"].n_unique() + 1)
    times = rows.group_by("group_id").len()["len"]
    yield tell("instructions that stand in every file", int((times == rows["drop"].n_unique()).sum()), len(times))
    yield tell("different texts in `output_1`", rows["output_1"].n_unique(), rows.height)
    yield tell("pairs of one and the same text", rows.filter(pl.col("output_1") == pl.col("output_2")).height, rows.height)
    again = rows.filter(pl.col("drop").n_unique().over("instruction", "output_2") > 1)
    yield tell("rows whose `output_2` another model gave too", again.height, rows.height)
    for choice in ("first", "second", "tie"):
        yield tell(f"pairs preferred: {choice}", rows.filter(pl.col("preferred") == choice).height, rows.height)
    null = rows.filter(pl.col("price_per_example").is_null())
    yield tell("pairs of one text, called a tie, without a price", null.filter(pl.col("preferred") == "tie").height, null.height)
    for told, of in (("ties", pl.col("preferred") == "tie"), ("decided pairs", pl.col("preferred") != "tie")):
        yield tell(
            f"words of `output_2`, median of {told}", f"{rows.filter(of).select(words('output_2')).to_series().median():g}"
        )
    yield tell("pairs without a preference", rows["preferred"].null_count(), rows.height)
    most = rows.group_by("drop").agg((pl.col("preferred") == "second").mean()).sort("preferred")
    yield tell(f"share of `output_2` preferred, least ({most['drop'][0]})", f"{most['preferred'][0]:.1%}")
    yield tell(f"share of `output_2` preferred, most ({most['drop'][-1]})", f"{most['preferred'][-1]:.1%}")
    longer = rows.filter(words("output_1") != words("output_2"), pl.col("preferred").is_in(["first", "second"]))
    chosen = longer.filter((words("output_2") > words("output_1")) == (pl.col("preferred") == "second"))
    yield tell("decided pairs in which the longer text was preferred", chosen.height, longer.height)
    yield tell("texts of `output_2` that ftfy takes for mojibake", *_mojibake(rows, "output_2"))


def _teller(source: Source) -> Any:
    def tell(what: str, count: int | str, of: int | None = None) -> Fact:
        told = count if isinstance(count, str) else f"{count:,}"
        return {"data set": source.name, "what": what, "count": told, "of": f"{of:,}" if of else ""}

    return tell


def _modal(values: pl.Series) -> tuple[int, int]:
    there = values.drop_nulls()
    return int(there.value_counts()["count"].max()), len(there)  # type: ignore[arg-type]


def _mojibake(rows: pl.DataFrame, column: str) -> tuple[int, int]:
    return sum(map(ftfy.badness.is_bad, rows[column].drop_nulls())), rows.height


def _verdicts(verdicts: Any, second: str = "split", passed: bool = False) -> str:
    """A line for each check that did not pass (or for every one), and one for those that did."""
    lines: list[Fact] = []
    for name, how, verdict in verdicts:
        place = {"data set": name, **({second: how} if how else {})}
        told = [result for result in verdict.results if passed or result.status != "pass" or "strongest" in result.figures]
        lines += [{**place, **_line(result)} for result in told]
        if len(told) < len(verdict.results):
            lines.append({**place, "check": _others(len(verdict.results) - len(told)), "answer": "pass"})
    return _table(lines)


def _others(count: int) -> str:
    return f"{count} other{'s' if count > 1 else ''}"


def _line(result: CheckResult) -> Fact:
    arguments = ", ".join(f"{name}={value}" for name, value in result.kwargs.items())
    names = () if "strongest" in result.figures else result.columns
    named = ", ".join(f"`{name.removeprefix('feature__')}`" for name in names)
    counted = f"{result.count:,} rows" if result.row_ids else ""
    return {
        "check": f"`{result.type}`" + (f" ({arguments})" if arguments else ""),
        "answer": result.status,
        "found": "; ".join(part for part in (named, counted, _figures(result)) if part),
    }


def _figures(result: CheckResult) -> str:
    if "strongest" in result.figures:
        told = [one for one in result.figures["strongest"] if one["feature"] in result.columns] or result.figures["strongest"][:1]
        return ", ".join(f"`{one['feature'].removeprefix('feature__')}` {one['strength']:.2f} by {one['by']}" for one in told)
    flat = {name: value for name, value in result.figures.items() if isinstance(value, int | float)}
    told = ", ".join(f"{name} {value:,}" if isinstance(value, int) else f"{name} {value:.3g}" for name, value in flat.items())
    return told or result.reason.split("\n")[0][:160]


def _table(rows: Sequence[Fact]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([str(row.get(name, "")).replace("|", "\\|") for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _write(blocks: Mapping[str, str]) -> None:
    """Print each table, and put it between its marks in the page."""
    page = PAGE.read_text(encoding="utf-8")
    for name, block in blocks.items():
        print(f"## {name}\n\n{block}\n")
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        page = page[: page.index(start) + len(start)] + f"\n{block}\n" + page[page.index(end) :]
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
