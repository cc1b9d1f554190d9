"""Simulated source of the `judge` workload: responses to prompts, each with a judge's score, 0 to 10, by a metric.

What is assumed (none of it tuned to a model):

- Two drops. The scores of `train` have the counts of a real training file of 5,000 rows, of which 91 % are 9 or 10; those
  of `test` are spread out, by a table of shares. Other numbers of rows keep the proportions (grammar/scores.py).
- 145 metrics, `family/aspect`, are drawn alike often, as are 24 to 62 topics by language, each with seven terms.
- A prompt has 1 to 6 rows: responses that are judged by one to three metrics each, in test mostly by one.
- Quality, 0 to 1, is the share of a response's content that keeps to the prompt's topic, times what is left of it by how
  it stands to the metric's aspect: shown 1, absent 0.6 (it shows another family's), violated 0.3.
- A text of a score is written for a quality within half a point of a tenth of it. What lacks is brought about in one of
  three ways: content of another topic; an aspect absent or violated, and another topic for what still lacks; filler, down to
  nothing but evasive sentences. The ways are the same in both drops: only the distribution of quality differs.
- Content counts by what it speaks of: each sentence speaks of two terms. What is asked for is rounded to whole terms, so
  the quality of the text is not quite the one that was meant; the text's own is what the judge sees.
- The judge sees quality with noise (half a point) and no trend by metric, language, length or time. The best impression of a
  drop gets its highest score, and so on: so scores are ranks, and a 9 is told from a 10 mostly by noise. Texts of a score are
  nearly alike in both drops (mean quality within a tenth); where a text may be of an 8 or a 9, it is a 9 more often in train,
  of which there are more.
- A response begins with the name of the topic that most of it keeps to, and what keeps to the topic speaks of what was asked
  for more often than not, as answers do. Aspects are shown by sentences that name them and their family.
- Labels come two minutes to ten days after asking, median 6 hours; `test` begins when all labels of `train` are there.
"""

from __future__ import annotations

from random import Random

import polars as pl

from pipelines.sources.judge.grammar.judge import STREAMS, Judge
from pipelines.sources.judge.grammar.scores import TEST, TRAIN, scores_of

COLUMNS: tuple[str, ...] = (
    *("row_id", "prompt_id", "response_id", "metric_id", "system_prompt", "user_prompt", "response", "metric_name"),
    *("asked_at", "labelled_at", "drop", "score", "grade", "language", "metric_family", "words"),
)
HIDDEN: tuple[str, ...] = ("on_topic", "aspect", "impression")


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
    judge = Judge({name: Random(f"{seed}/{name}") for name in STREAMS})
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
