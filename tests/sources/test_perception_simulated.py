from __future__ import annotations

import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.sources.perception.grammar.author_state import change_from_past, drifting_mood
from pipelines.sources.perception.grammar.dice import Dice
from pipelines.sources.perception.grammar.edge_cases import EDGE_CASES
from pipelines.sources.perception.grammar.emotions import CORES, NAMES
from pipelines.sources.perception.grammar.sentences import Clause, Writer
from pipelines.sources.perception.grammar.vocabulary import Vocabulary
from pipelines.sources.perception.grammar.voice import VOCABULARIES, author_voices
from pipelines.sources.perception.simulated import COLUMNS, simulate, simulate_with_truth

START = datetime(2025, 1, 1, tzinfo=UTC)
END = START + timedelta(days=180)
RATINGS = ["valence", "arousal", "willingness", "congruence", "comparator"]
TARGETS = [*RATINGS, "invoked", "expressed"]
COUNTS = {
    "sarcasm": 1200,
    "suicidal_ideation": 600,
    "self_harm": 400,
    "abuse": 800,
    "profanity": 1200,
    "sociopathic": 400,
    "financial_coercion": 600,
}
SWEARING = re.compile(r"\b(damn|hell|crap|bloody|shit|saala|kamina|bhaad)\b", re.IGNORECASE)
SLOT = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def truth() -> pl.DataFrame:
    return simulate_with_truth(seed=1, reflections=5200, authors=800, days=180)


@pytest.fixture(scope="module")
def rows(truth: pl.DataFrame) -> pl.DataFrame:
    return truth.select(COLUMNS)


@pytest.fixture(scope="module")
def labelled(truth: pl.DataFrame) -> pl.DataFrame:
    return truth.filter(pl.col("labelled_at").is_not_null())


def explained(causes: list[pl.Series], effect: pl.Series) -> float:
    """R squared of a least-squares fit."""
    design = np.column_stack([np.ones(len(effect)), *causes])
    y = effect.to_numpy()
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - residual.var() / y.var()


def spoken(text: str) -> list[str]:
    """The sentences of a text without case, punctuation and emoji."""
    parts = re.split(r"[.!?\n]+", text.lower())
    return [key for part in parts if (key := " ".join(re.findall(r"[a-z0-9]+", part)))]


def known_label_pairs(labelled: pl.DataFrame) -> pl.DataFrame:
    """Each row with every label of its author that was known before it was written."""
    past = labelled.select(
        "author_id",
        past="valence",
        past_visible="visible_valence",
        known_at="labelled_at",
        told_at="asked_at",
    )
    return labelled.join(past, on="author_id").filter(pl.col("known_at") < pl.col("asked_at"))


def test_columns_and_types(rows: pl.DataFrame) -> None:
    instants = {name: pl.Datetime("us", "UTC") for name in ("asked_at", "labelled_at", "created_at")}
    flags = dict.fromkeys(COUNTS, pl.Boolean)
    ratings = dict.fromkeys(RATINGS, pl.Float64)
    expected = instants | flags | ratings | {"words": pl.Int32, "text": pl.String, "invoked": pl.String}
    assert {name: rows.schema[name] for name in expected} == expected
    assert rows.columns == list(COLUMNS)


def test_edge_cases_and_languages_have_exact_counts(rows: pl.DataFrame) -> None:
    assert {name: rows[name].sum() for name in COUNTS} == COUNTS
    assert Counter(rows["language"]) == {"en": 3700, "hinglish": 1500}
    assert EDGE_CASES == COUNTS


def test_rows_may_carry_several_edge_cases(rows: pl.DataFrame) -> None:
    carried = rows.select(pl.sum_horizontal(pl.col(list(COUNTS)).cast(pl.Int32))).to_series()
    assert carried.max() >= 3
    assert 0.3 < (carried == 0).mean() < 0.5


def test_ids_are_unique_and_every_author_writes(rows: pl.DataFrame) -> None:
    assert rows["row_id"].n_unique() == 5200
    assert rows["row_id"][0] == "r00001"
    assert rows["reflection_id"].equals(rows["row_id"].rename("reflection_id"))
    assert set(rows["author_id"]) == {f"a{number:04d}" for number in range(1, 801)}


def test_rows_are_sorted(rows: pl.DataFrame) -> None:
    assert_frame_equal(rows, rows.sort("asked_at", "row_id"))


def test_numbers_of_reflections_are_heavy_tailed(rows: pl.DataFrame) -> None:
    counts = rows["author_id"].value_counts()["count"]
    assert (counts == 1).sum() >= 40
    assert 50 <= counts.max() <= 400


def test_texts_are_of_every_length(rows: pl.DataFrame) -> None:
    shares = {kind: (rows["length"] == kind).mean() for kind in ("short", "medium", "long")}
    assert shares["short"] == pytest.approx(0.45, abs=0.05)
    assert shares["medium"] == pytest.approx(0.45, abs=0.05)
    assert shares["long"] == pytest.approx(0.10, abs=0.03)


def test_words_and_length_describe_the_text(rows: pl.DataFrame) -> None:
    counted = [sum(any(c.isalnum() for c in token) for token in text.split()) for text in rows["text"]]
    named = ["short" if count <= 25 else "medium" if count <= 160 else "long" for count in counted]
    assert rows["words"].to_list() == counted
    assert rows["length"].to_list() == named


def test_times_are_in_the_window_and_labels_come_later(rows: pl.DataFrame) -> None:
    delay = (rows["labelled_at"] - rows["asked_at"]).drop_nulls().dt.total_seconds() / 3600
    assert rows["asked_at"].min() >= START
    assert rows["asked_at"].max() < END
    assert rows["labelled_at"].max() < END
    assert delay.min() > 0
    assert ((delay > 1) & (delay < 144)).mean() > 0.95
    assert (delay > 144).any()


def test_created_is_labelled_or_asked(rows: pl.DataFrame) -> None:
    expected = [late or early for late, early in zip(rows["labelled_at"], rows["asked_at"], strict=True)]
    assert rows["created_at"].to_list() == expected


def test_targets_are_null_exactly_where_unlabelled(rows: pl.DataFrame) -> None:
    unlabelled = rows["labelled_at"].is_null()
    assert 10 <= unlabelled.sum() <= 150
    for target in TARGETS:
        assert (rows[target].is_null() == unlabelled).all(), target


def test_unlabelled_rows_are_those_near_the_end(rows: pl.DataFrame) -> None:
    late = rows.filter(pl.col("labelled_at").is_null())["asked_at"]
    assert late.median() > END - timedelta(days=7)


def test_ratings_are_in_range_and_spread(labelled: pl.DataFrame) -> None:
    for target in RATINGS:
        assert labelled[target].is_between(0, 1).all()
        assert 0.12 < labelled[target].std() < 0.32, target


def test_emotions_are_all_used_and_have_six_cores(labelled: pl.DataFrame) -> None:
    assert len(CORES) == 6
    leaves = Counter(name.split("/")[0] for name in NAMES)
    assert set(leaves.values()) <= {3, 4}
    for target in ("invoked", "expressed"):
        assert set(labelled[target]) == set(NAMES)
        assert labelled[target].value_counts()["count"].min() >= 50


def test_same_seed_same_frame_and_other_seed_other_frame(rows: pl.DataFrame) -> None:
    assert_frame_equal(simulate(seed=1), rows)
    other = simulate(seed=2)
    assert other["text"].is_in(rows["text"].implode()).sum() == 0
    assert not other["valence"].equals(rows["valence"])


def test_simulating_is_fast() -> None:
    start = time.process_time()
    simulate(seed=3)
    assert time.process_time() - start < 10


def test_no_sentence_is_written_twice(rows: pl.DataFrame) -> None:
    said = Counter(sentence for text in rows["text"] for sentence in spoken(text))
    assert len(said) > 15_000
    assert [sentence for sentence, times in said.items() if times > 1] == []


def test_texts_have_no_unfilled_places_and_no_double_spaces(rows: pl.DataFrame) -> None:
    assert rows.filter(pl.col("text").str.contains(r"[{}\[\]/]|  |^\s|\s$|,,"))["text"].to_list() == []


def test_profanity_is_in_the_rows_marked_for_it_and_in_no_other(rows: pl.DataFrame) -> None:
    swears = pl.Series([bool(SWEARING.search(text)) for text in rows["text"]])
    assert (swears == rows["profanity"]).all()


def test_risk_follows_the_edge_cases(rows: pl.DataFrame) -> None:
    danger = pl.col("suicidal_ideation") | pl.col("self_harm") | pl.col("abuse")
    assert set(rows.filter(danger)["risk_level"]) == {"high"}
    assert set(rows.filter(~danger)["risk_level"]) == {"low", "medium"}


def test_risky_texts_name_no_method() -> None:
    forbidden = re.compile(
        r"\b(cut|cutting|knife|blade|pill|pills|rope|hang|jump|poison|overdose|gun|burn|blood|wrist|bridge"
        r"|train|roof|chaaku|zeher|phaansi|khoon|nass)\b"
    )
    for vocabulary in VOCABULARIES.values():
        for kind in ("suicidal_ideation", "self_harm", "abuse"):
            slots = {slot for template in vocabulary.edges[kind] for slot in SLOT.findall(template)}
            values = [value for slot in sorted(slots) for value in vocabulary.slots[slot]]
            assert [text for text in (*vocabulary.edges[kind], *values) if forbidden.search(text)] == []


def test_sarcasm_separates_what_is_invoked_from_what_is_expressed(labelled: pl.DataFrame) -> None:
    ironic, plain = labelled.filter("sarcasm"), labelled.filter(~pl.col("sarcasm"))
    assert (ironic["invoked"] == ironic["expressed"]).mean() < 0.15
    assert (plain["invoked"] == plain["expressed"]).mean() > 0.65
    assert ironic["expressed"].str.starts_with("joy/").mean() > 0.5
    assert ironic["invoked"].str.starts_with("joy/").mean() < 0.05
    assert ironic["congruence"].mean() < plain["congruence"].mean() - 0.2
    assert ironic["valence"].mean() < plain["valence"].mean()


def test_a_lexicon_sees_the_valence_of_plain_texts_and_is_fooled_by_sarcasm(labelled: pl.DataFrame) -> None:
    sentiment = pytest.importorskip("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    some = labelled.filter(pl.col("words") < 100).head(1500)
    scores = some.with_columns(score=pl.Series([sentiment.polarity_scores(text)["compound"] for text in some["text"]]))
    for language in ("en", "hinglish"):
        plain = scores.filter(~pl.col("sarcasm") & (pl.col("language") == language))
        assert plain.select(pl.corr("score", "valence")).item() > 0.3
    ironic = scores.filter("sarcasm")
    assert ironic["score"].mean() > 0.2
    assert ironic["valence"].mean() < 0.45


def test_text_explains_half_of_valence_and_the_hidden_mood_a_part_more(labelled: pl.DataFrame) -> None:
    text = explained([labelled["visible_valence"]], labelled["valence"])
    both = explained([labelled["visible_valence"], labelled["mood"]], labelled["valence"])
    assert 0.40 < text < 0.60
    assert 0.10 < both - text < 0.35
    assert both < 0.85


def test_arousal_has_the_same_make_up(labelled: pl.DataFrame) -> None:
    text = explained([labelled["visible_arousal"]], labelled["arousal"])
    both = explained([labelled["visible_arousal"], labelled["energy"]], labelled["arousal"])
    assert 0.40 < text < 0.60
    assert 0.10 < both - text < 0.35


def test_the_known_past_of_an_author_tells_of_valence(labelled: pl.DataFrame) -> None:
    pairs = known_label_pairs(labelled)
    known = pairs.group_by("row_id").agg(pl.col("past").mean(), pl.col("valence").first())
    assert len(known) > 3000
    assert known.select(pl.corr("past", "valence")).item() > 0.3


def test_the_known_past_adds_to_what_the_text_shows(labelled: pl.DataFrame) -> None:
    pairs = known_label_pairs(labelled)
    known = pairs.group_by("row_id", maintain_order=True).agg(
        pl.col("past", "past_visible").mean(), pl.col("valence", "visible_valence").first()
    )
    text = explained([known["visible_valence"]], known["valence"])
    with_past = explained([known["visible_valence"], known["past"], known["past_visible"]], known["valence"])
    assert with_past - text > 0.05


def test_within_an_author_recent_labels_tell_more_than_old_ones(labelled: pl.DataFrame) -> None:
    own = labelled.filter(pl.len().over("author_id") >= 20)
    own = own.with_columns(pl.col("valence") - pl.col("valence").mean().over("author_id"))
    pairs = known_label_pairs(own).with_columns(gap=pl.col("asked_at") - pl.col("told_at"))
    recent = pairs.filter(pl.col("gap") < timedelta(days=4)).select(pl.corr("past", "valence")).item()
    old = pairs.filter(pl.col("gap") > timedelta(days=40)).select(pl.corr("past", "valence")).item()
    assert recent > old + 0.05


def test_the_comparator_needs_the_change_of_mood(labelled: pl.DataFrame) -> None:
    text = explained([labelled["visible_valence"]], labelled["comparator"])
    both = explained([labelled["visible_valence"], labelled["mood_change"]], labelled["comparator"])
    assert both - text > 0.2


def test_a_handful_of_exact_ties(rows: pl.DataFrame) -> None:
    tied = rows.group_by("author_id", "asked_at").len().filter(pl.col("len") > 1)
    assert 3 <= len(tied) <= 20


def test_language_is_mostly_a_trait(rows: pl.DataFrame) -> None:
    languages = rows.group_by("author_id").agg(pl.col("language").n_unique())["language"]
    assert 0.02 < (languages == 2).mean() < 0.2


@pytest.mark.parametrize(("reflections", "authors", "days"), [(60, 12, 180), (60, 12, 3), (1, 1, 1), (40, 40, 30)])
def test_small_sizes(reflections: int, authors: int, days: int) -> None:
    rows = simulate(seed=5, reflections=reflections, authors=authors, days=days)
    assert rows.height == reflections
    assert rows["author_id"].n_unique() == authors
    assert rows["asked_at"].is_between(START, START + timedelta(days=days), closed="left").all()
    assert {name: rows[name].sum() for name in COUNTS} == {
        name: round(count * reflections / 5200) for name, count in COUNTS.items()
    }


@pytest.mark.parametrize(("reflections", "authors", "days"), [(5, 6, 10), (5, 0, 10), (5, 5, 0)])
def test_impossible_sizes_are_refused(reflections: int, authors: int, days: int) -> None:
    with pytest.raises(ValueError, match=f"authors={authors}"):
        simulate(seed=1, reflections=reflections, authors=authors, days=days)


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values(), ids=VOCABULARIES)
def test_vocabularies_are_complete(vocabulary: Vocabulary) -> None:
    assert set(vocabulary.events) == set(vocabulary.feelings) == set(NAMES)
    assert set(vocabulary.degrees) == {1, 2, 3}
    assert set(vocabulary.qualities) == set(range(-3, 4))
    named = set(SLOT.findall(str(vocabulary)))
    assert named - {"degree", "feeling", "quality"} <= set(vocabulary.slots)
    assert set(vocabulary.slots) - named == set(), "a slot that no template names"


def test_an_exhausted_grammar_says_so() -> None:
    dice = Dice(np.random.default_rng(0))
    writer, voice = Writer(dice), author_voices(dice)["en"]
    only = Clause(("nothing else to say",), plain=True)
    writer.sentence(only, voice, 0, (), opening=True)
    with pytest.raises(RuntimeError, match="nothing new left"):
        writer.sentence(only, voice, 0, (), opening=True)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-5, 5)), max_size=30))
def test_change_from_past_against_a_slow_memory(visits: list[tuple[int, float]]) -> None:
    visits = sorted(visits, key=lambda visit: visit[0])
    author = np.array([who for who, _ in visits], dtype=np.int64)
    value = np.array([now for _, now in visits], dtype=np.float64)
    start = np.array([0.5, -1.0, 0.0, 2.0])
    expected = []
    for row, who in enumerate(author):
        earlier = [start[who], *value[:row][author[:row] == who]]
        weights = [0.5 ** len(earlier[1:]), *(0.5**age for age in range(len(earlier) - 1, 0, -1))]
        expected.append(value[row] - sum(w * e for w, e in zip(weights, earlier, strict=True)))
    np.testing.assert_allclose(change_from_past(author, value, start), expected, atol=1e-9)


def test_mood_drifts_as_it_should() -> None:
    rng = np.random.default_rng(0)
    author, day = np.repeat(np.arange(20_000), 3), np.tile([0.0, 12.0, 12.0], 20_000)
    mood = drifting_mood(author, day, rng.standard_normal(20_000), rng).reshape(-1, 3)
    assert mood.mean() == pytest.approx(0, abs=0.03)
    assert mood.var() == pytest.approx(1, abs=0.03)
    assert np.corrcoef(mood[:, 0], mood[:, 1])[0, 1] == pytest.approx(0.6 + 0.4 * np.exp(-1), abs=0.02)
    np.testing.assert_array_equal(mood[:, 1], mood[:, 2])
