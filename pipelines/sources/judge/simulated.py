"""Simulated source of the `judge` workload: responses to prompts, each with a judge's score, 0 to 10, by a metric.

What is assumed (none of it tuned to a model):

- Two drops. The scores of `train` have the counts of a real training file of 5,000 rows, of which 91 % are 9 or 10; those
  of `test` are spread out, by a table of shares. Other numbers of rows keep the proportions (grammar/scores.py).
- 145 metrics, `family/aspect`, are drawn alike often, as are 24 to 62 topics by language, each with seven terms.
- A prompt has 1 to 5 rows: several responses, of which one in five, where rows are left, is judged by two metrics.
- Quality, 0 to 1, is the share of a response's content that keeps to the prompt's topic, times what is left of it by how
  it stands to the metric's aspect: shown 1, absent 0.45 (it shows another family's), violated 0.2.
- A text of a score is written for a quality within half a point of a tenth of it. What lacks is brought about in one of
  three ways: content of another topic; an aspect absent or violated, and another topic for what still lacks; filler, down to
  two evasive sentences. The ways are the same in both drops: only the distribution of quality differs.
- Content counts by what it speaks of: each sentence speaks of two terms. What is asked for is rounded to whole terms, so
  the quality of the text is not quite the one that was meant; the text's own is what the judge sees.
- The judge sees quality with noise (half a point) and no trend by metric, language, length or time. The best impression of a
  drop gets its highest score, and so on: so scores are ranks, and a 9 is told from a 10 mostly by noise.
- Aspects are shown by sentences that name them, so that any reader of both languages could tell.
- Labels come two minutes to ten days after asking, median 6 hours; `test` begins when all labels of `train` are there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import polars as pl

from pipelines.sources.judge.grammar.metrics import METRICS, Metric
from pipelines.sources.judge.grammar.scores import NOISE, TEST, TRAIN, WORTH, by_rank, meant_quality, scores_of
from pipelines.sources.judge.grammar.timeline import asked, labelled
from pipelines.sources.judge.grammar.writing import Frame, Plan, Prompt, write_prompt, write_response

COLUMNS: tuple[str, ...] = (
    *("row_id", "prompt_id", "response_id", "metric_id", "system_prompt", "user_prompt", "response", "metric_name"),
    *("asked_at", "labelled_at", "drop", "score", "grade", "language", "metric_family", "words"),
)
HIDDEN: tuple[str, ...] = ("on_topic", "aspect", "impression")
PROMPTS_PER_ROW, MOST_ROWS = 0.4, 5
JUDGED_TWICE = 0.2
WAYS = {"topic": 0.35, "aspect": 0.4, "filler": 0.25}
EVASIVE_BELOW = 0.15
_STREAMS = ("layout", "scores", "prompts", "plans", "responses", "judge", "times")
_Row = dict[str, Any]


def simulate(*, seed: int, rows: int = 5000, test_rows: int = 3638) -> pl.DataFrame:
    """One row a judgment, sorted by `asked_at`; the same seed and sizes give the same frame.

    Columns: `row_id` (`judge-000001` …); `prompt_id`, `response_id`, `metric_id`; `system_prompt` (null where there is none),
    `user_prompt`, `response`, `metric_name`; `asked_at` and `labelled_at`, Datetime us UTC; `drop` (train, test); `score`
    (Float64, 0 to 10) and `grade` (the score rounded down, as a string); `language` (en, de, es, hi-Latn), `metric_family`
    and `words` (Int64, of the response). Nothing but `system_prompt` is ever null. No prompt stands in both drops.

    Raises ValueError where a size is not positive.
    """
    return simulate_with_truth(seed=seed, rows=rows, test_rows=test_rows).select(COLUMNS)


def simulate_with_truth(*, seed: int, rows: int, test_rows: int) -> pl.DataFrame:
    """As `simulate`, with the HIDDEN causes beside the columns: for tests and ceilings, never for features.

    `on_topic` (0 to 1) is the share of the content that keeps to the topic, `aspect` how the response stands to the metric's
    (shown, absent, violated), `impression` the quality as the judge saw it, with noise.
    """
    if min(rows, test_rows) < 1:
        raise ValueError(f"judge, simulate: expected rows and test_rows >= 1, got rows={rows}, test_rows={test_rows}")
    judge = _Judge({name: Random(f"{seed}/{name}") for name in _STREAMS})
    made = [*judge.drop("train", scores_of(TRAIN, rows)), *judge.drop("test", scores_of(TEST, test_rows))]
    return _typed(pl.DataFrame(made, infer_schema_length=None))


def _typed(made: pl.DataFrame) -> pl.DataFrame:
    ordered = made.sort("asked_at", maintain_order=True).with_columns(
        pl.col("asked_at", "labelled_at").dt.cast_time_unit("us"),
        row_id="judge-" + pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(6),
        grade=pl.col("score").floor().cast(pl.Int64).cast(pl.String),
        words=pl.col("response").str.count_matches(r"\S+").cast(pl.Int64),
    )
    return ordered.select(*COLUMNS, *HIDDEN)


@dataclass
class _Judge:
    """Writes drops below one another: prompts and responses are numbered on; a generator a purpose, so none shifts another."""

    dice: dict[str, Random]
    prompts: int = 0
    responses: int = 0
    used: set[Frame] = field(default_factory=set)

    def drop(self, name: str, scores: list[float]) -> list[_Row]:
        """The rows of a drop, of which each has one of ``scores``, which come highest first."""
        targets = [meant_quality(score, self.dice["scores"]) for score in scores]
        self.dice["scores"].shuffle(targets)
        found: list[_Row] = []
        for count in _rows_per_prompt(len(scores), self.dice["layout"]):
            found += self._prompt(name, targets[len(found) : len(found) + count])
        given = by_rank([row["impression"] for row in found], scores)
        return [{**row, "score": float(score)} for row, score in zip(found, given, strict=True)]

    def _prompt(self, drop: str, targets: list[float]) -> list[_Row]:
        self.prompts += 1
        prompt = write_prompt(self.used, self.dice["prompts"])
        rows: list[_Row] = []
        while len(rows) < len(targets):
            left = targets[len(rows) :]
            twice = len(left) > 1 and self.dice["layout"].random() < JUDGED_TWICE
            rows += self._response(prompt, left[: 1 + twice])
        instants = asked(drop, len(rows), self.dice["times"])
        times = [{"asked_at": instant, "labelled_at": labelled(instant, self.dice["times"])} for instant in instants]
        return [{**row, **time, "drop": drop} for row, time in zip(rows, times, strict=True)]

    def _response(self, prompt: Prompt, targets: list[float]) -> list[_Row]:
        """A response's rows: one for each metric that it is judged by."""
        self.responses += 1
        plan = _planned(targets, self.dice["plans"])
        response = write_response(prompt, plan, self.dice["responses"])
        shared = {
            "prompt_id": f"p-{self.prompts:05d}",
            "response_id": f"r-{self.responses:05d}",
            "language": prompt.language,
            "system_prompt": prompt.system,
            "user_prompt": prompt.text,
            "response": response.text,
            "on_topic": response.on_topic,
        }
        return [{**shared, **self._judged(response.on_topic, metric, stand)} for metric, stand in plan.aspects]

    def _judged(self, on_topic: float, metric: Metric, stand: str) -> _Row:
        return {
            "metric_id": metric.metric_id,
            "metric_name": metric.name,
            "metric_family": metric.family,
            "aspect": stand,
            "impression": on_topic * WORTH[stand] + self.dice["judge"].gauss(0, NOISE),
        }


def _planned(targets: list[float], dice: Random) -> Plan:
    """A plan by which the response is of the best of the qualities by its metric, and near the other, if any, by its own."""
    best, metrics = max(targets), dice.sample(METRICS, len(targets))
    way = dice.choices(list(WAYS), list(WAYS.values()))[0]
    if way == "filler" and best < EVASIVE_BELOW:
        return Plan(0.0, [(metric, "absent") for metric in metrics], evasive=True)
    lacking = [stand for stand, worth in WORTH.items() if best <= worth < 1]
    stand = dice.choice(lacking) if way == "aspect" and lacking else "shown"
    on_topic = best / WORTH[stand]
    stands = [stand if target == best else _nearest(target, on_topic) for target in targets]
    return Plan(on_topic, list(zip(metrics, stands, strict=True)), filler=way == "filler")


def _nearest(target: float, on_topic: float) -> str:
    return min(WORTH, key=lambda stand: abs(on_topic * WORTH[stand] - target))


def _rows_per_prompt(count: int, dice: Random) -> list[int]:
    """How many rows each prompt has, 1 to ``MOST_ROWS``; ``count`` in all."""
    found = [1] * max(1, round(count * PROMPTS_PER_ROW))
    open_to = list(range(len(found)))
    for _ in range(count - len(found)):
        place = dice.randrange(len(open_to))
        found[open_to[place]] += 1
        if found[open_to[place]] == MOST_ROWS:
            open_to.pop(place)
    return found
