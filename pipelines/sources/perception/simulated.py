"""Simulated source of the `perception` workload: reflections of many authors, labelled some time later.

What is assumed (none of it tuned to a model):

- An author has a mean mood and a mood that drifts around it (Ornstein-Uhlenbeck, 12 days); the same for
  energy. Neither is written in the text, except that people in low mood meet a little more of the bad.
- A reflection tells of a situation in words of the emotion it expresses. Every evaluating sentence carries
  a tone; the mean tone is what a reader can see of valence. Words and exclamation marks show arousal.
- Valence and arousal = 0.58 visible + 0.52 hidden + 0.50 noise (before the logistic curve; the visible and
  the hidden part have unit variance and correlate a little). So the text alone explains at best about half
  of the variance, the mood, and hence the author's earlier labels, up to a quarter more; a quarter stays
  noise.
- `invoked` is the emotion of the situation, `expressed` the one in the words. They differ under sarcasm
  (positive words on a bad situation) and where an author wears a mask. `congruence` is their agreement, on
  an author's own level.
- `willingness` to seek help: what the text says of help, the author's openness, the mood.
- `comparator`: the change of mood and of tone against the author's own past; 0.5 is no change.
- Labels come late: lognormal, median 14 hours. What would be labelled after the last day is unlabelled.
- Edge cases have exact counts and cluster in authors; risky texts are generic and never graphic.
- No two reflections share a sentence, so that no split can leak one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sources.perception.grammar import emotions, labels
from pipelines.sources.perception.grammar.author_state import MEAN_SHARE, change_from_past, drifting_mood
from pipelines.sources.perception.grammar.clauses import SPOKEN_EDGES, Situation
from pipelines.sources.perception.grammar.dice import Dice
from pipelines.sources.perception.grammar.edge_cases import EDGE_CASES, draw_flags, draw_language, risk_level
from pipelines.sources.perception.grammar.reflections import SHORT_WORDS, Reflection, compose, laid_out
from pipelines.sources.perception.grammar.sentences import Writer
from pipelines.sources.perception.grammar.situations import draw_lengths, draw_situations
from pipelines.sources.perception.grammar.timeline import DAY_SECONDS, START, label_seconds, visits
from pipelines.sources.perception.grammar.voice import author_voices

LONG_WORDS = 160
"""A text of more words is long."""
COLUMNS: tuple[str, ...] = (
    "row_id",
    "reflection_id",
    "author_id",
    "text",
    "asked_at",
    "labelled_at",
    "created_at",
    "language",
    "device",
    "risk_level",
    "words",
    "length",
    *EDGE_CASES,
    *labels.TARGETS,
)
HIDDEN: tuple[str, ...] = ("visible_valence", "visible_arousal", "mood", "energy", "mood_change")
_STREAMS = ("visits", "delays", "states", "traits", "flags", "situations", "texts", "labels", "devices")
_CAUSES = (
    "author",
    "invoked",
    "expressed",
    "sarcasm",
    "visible_valence",
    "visible_arousal",
    "mood",
    "energy",
    "mood_change",
    "help_said",
    "openness",
    "candour",
)
_Streams = dict[str, np.random.Generator]
_Row = dict[str, Any]


def simulate(*, seed: int, reflections: int = 5200, authors: int = 800, days: int = 180) -> pl.DataFrame:
    """One row a reflection, sorted by `asked_at` and `row_id`; the same seed and sizes give the same frame.

    Columns: `row_id` and `reflection_id` (equal), `author_id`, `text`; `asked_at`, `labelled_at` (null
    where unlabelled) and `created_at` (`labelled_at`, else `asked_at`), Datetime us UTC from 2025-01-01,
    labelled within `days`; `language` (en, hinglish), `device` (android, ios, web), `risk_level` (low,
    medium, high); `words` Int32, `length` (short up to 25 words, medium up to 160, long); a Boolean an
    edge case; targets `valence`, `arousal`, `willingness`, `congruence`, `comparator` (Float64, 0 to 1),
    `invoked` and `expressed` ("core/leaf"), all null exactly where unlabelled.

    Raises ValueError where an author would have no reflection, or a size is not positive.
    """
    return simulate_with_truth(seed=seed, reflections=reflections, authors=authors, days=days).select(COLUMNS)


def simulate_with_truth(*, seed: int, reflections: int, authors: int, days: int) -> pl.DataFrame:
    """As `simulate`, with the HIDDEN causes beside the columns: for tests and ceilings, never for features.

    `visible_valence` and `visible_arousal` (-1 to 1) are what the text shows; `mood` and `energy` (unit
    variance) what it does not; `mood_change` is the mood minus a running memory of the author's earlier
    moods.
    """
    _check_sizes(reflections, authors, days)
    streams = _streams(seed)
    frame = _authors_states(visits(authors, reflections, days, streams["visits"]), authors, streams)
    frame = _with_situations(frame, streams)
    frame = _with_texts(frame, streams["texts"])
    frame = _with_labels(frame, streams["labels"])
    return _with_instants(_with_devices(frame, streams["devices"]), days, streams["delays"])


def _check_sizes(reflections: int, authors: int, days: int) -> None:
    if min(authors, days) < 1 or reflections < authors:
        raise ValueError(
            f"perception, simulate: expected days >= 1 and 1 <= authors <= reflections, "
            f"got days={days}, authors={authors}, reflections={reflections}"
        )


def _streams(seed: int) -> _Streams:
    """A generator a purpose, so that one purpose drawing more does not shift the others."""
    children = np.random.SeedSequence(seed).spawn(len(_STREAMS))
    return {name: np.random.default_rng(child) for name, child in zip(_STREAMS, children, strict=True)}


def _authors_states(rows: pl.DataFrame, authors: int, streams: _Streams) -> pl.DataFrame:
    author, day = rows["author"].to_numpy(), rows["second"].to_numpy() / DAY_SECONDS
    means, energies, openness, candour = streams["traits"].standard_normal((4, authors))
    mood = drifting_mood(author, day, means, streams["states"])
    return rows.with_columns(
        mood=mood,
        energy=drifting_mood(author, day, energies, streams["states"]),
        mood_change=change_from_past(author, mood, np.sqrt(MEAN_SHARE) * means),
        openness=openness[author],
        candour=candour[author],
    )


def _with_situations(rows: pl.DataFrame, streams: _Streams) -> pl.DataFrame:
    author, mood = rows["author"].to_numpy(), rows["mood"].to_numpy()
    flags = draw_flags(author, mood, streams["flags"])
    rng = streams["situations"]
    situations = draw_situations(mood, rows["energy"].to_numpy(), flags, rng)
    parts = [rows, flags, situations, draw_lengths(flags, rng)]
    whole = pl.concat(parts, how="horizontal").with_columns(language=draw_language(author, rng))
    return whole.with_columns(
        level=np.digitize(whole["liveliness"].to_numpy(), [-0.3, 0.35]) - 1,
        help_meant=_help_meant(whole, rng),
        comparison=_comparison_meant(whole, rng),
    )


def _help_meant(rows: pl.DataFrame, rng: np.random.Generator) -> NDArray[np.int64]:
    """1 where help is wanted, -1 where it is refused, 0 where the text will not speak of it."""
    wish = 1.2 * rows["openness"].to_numpy() + 0.3 * rows["mood"].to_numpy() + rng.logistic(size=len(rows))
    return np.where(_spoken(rows, 0.4, rng), np.where(wish > 0, 1, -1), 0)


def _comparison_meant(rows: pl.DataFrame, rng: np.random.Generator) -> pl.Series:
    """-1 worse than before, 0 the same, 1 better, null where the text will not speak of it."""
    felt = rows["mood_change"].to_numpy() + 0.5 * rng.standard_normal(len(rows))
    said = _spoken(rows, 0.35, rng)
    return pl.Series(np.digitize(felt, [-0.4, 0.4]) - 1).set(pl.Series(~said), None)


def _spoken(rows: pl.DataFrame, rate: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    rates = np.where(rows["target"].to_numpy() <= SHORT_WORDS, rate / 2.5, rate)
    return rng.random(len(rows)) < rates


def _with_texts(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    dice = Dice(rng)
    voices = [author_voices(dice) for _ in range(rows["author"].n_unique())]
    writer = Writer(dice)
    written = [
        _written(row, compose(_situation(row), voices[row["author"]][row["language"]], writer), dice)
        for row in rows.iter_rows(named=True)
    ]
    return _measured(rows.with_columns(pl.DataFrame(written, infer_schema_length=None)))


def _written(row: _Row, reflection: Reflection, dice: Dice) -> _Row:
    """The text and what it really shows: optional sentences that did not fit are not in it."""
    shows_feeling = row["sarcasm"] or "feeling" in reflection.kinds
    return {
        "text": laid_out(reflection.sentences, dice),
        "visible_valence": reflection.valence,
        "visible_arousal": reflection.arousal,
        "help_said": row["help_meant"] if "help" in reflection.kinds else 0,
        "expressed": row["expressed"] if shows_feeling else row["invoked"],
        "words": reflection.words,
    }


def _situation(row: _Row) -> Situation:
    return Situation(
        invoked=emotions.NAMES[row["invoked"]],
        expressed=emotions.NAMES[row["expressed"]],
        valence=row["situation"],
        arousal=row["level"],
        target=row["target"],
        cap=row["cap"],
        edges=tuple(name for name in SPOKEN_EDGES if row[name]),
        sarcasm=row["sarcasm"],
        profanity=row["profanity"],
        help=row["help_meant"],
        comparison=row["comparison"],
    )


def _measured(rows: pl.DataFrame) -> pl.DataFrame:
    words = rows["words"].to_numpy()
    return rows.with_columns(
        pl.col("words").cast(pl.Int32),
        length=np.select([words <= SHORT_WORDS, words <= LONG_WORDS], ["short", "medium"], "long"),
        risk_level=risk_level(rows, rows["visible_valence"]),
    )


def _with_labels(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    data = {name: rows[name].to_numpy() for name in _CAUSES}
    agreement = labels.emotion_agreement(data["invoked"], data["expressed"])
    shown, mood = data["visible_valence"], data["mood"]
    return rows.with_columns(
        valence=labels.affect_labels(shown, mood, rng),
        arousal=labels.affect_labels(data["visible_arousal"], data["energy"], rng),
        willingness=labels.willingness_labels(data["help_said"], data["openness"], mood, rng),
        congruence=labels.congruence_labels(agreement, data["sarcasm"], data["candour"], rng),
        comparator=labels.comparator_labels(data["author"], shown, data["mood_change"], rng),
        invoked=labels.perceived(data["invoked"], rng),
        expressed=labels.perceived(data["expressed"], rng),
    )


def _with_devices(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Each author has a device; for one row in twelve any is drawn anew."""
    kinds, weights = np.array(["android", "ios", "web"]), [0.6, 0.25, 0.15]
    author = rows["author"].to_numpy()
    own = rng.choice(kinds, rows["author"].n_unique(), p=weights)[author]
    other = rng.choice(kinds, len(rows))
    return rows.with_columns(device=np.where(rng.random(len(rows)) < 1 / 12, other, own))


def _with_instants(rows: pl.DataFrame, days: int, rng: np.random.Generator) -> pl.DataFrame:
    """Ids and times; rows labelled after the last day are unlabelled, their targets null."""
    labelled = pl.Series(label_seconds(rows["second"].to_numpy(), rng))
    rows = rows.with_columns(
        author_id=_ids("a", rows["author"], 4),
        asked_at=_instant(rows["second"]),
        labelled_at=_instant(labelled.set(labelled >= days * DAY_SECONDS, None)),
    ).sort("asked_at", maintain_order=True)
    ids = _ids("r", pl.Series(range(len(rows))), 5)
    rows = rows.with_columns(created_at=pl.coalesce("labelled_at", "asked_at"), row_id=ids, reflection_id=ids)
    return labels.hidden_until_labelled(rows)


def _instant(seconds: pl.Series) -> pl.Series:
    return ((seconds + int(START.timestamp())) * 1_000_000).cast(pl.Datetime("us", "UTC"))


def _ids(prefix: str, number: pl.Series, width: int) -> pl.Series:
    """`prefix` and the number from 1, zero-padded to at least `width` digits, all of one length."""
    digits = (number + 1).cast(pl.String)
    widest = max(width, len(str(len(number))))
    return (prefix + digits.str.zfill(widest)).rename("id")
