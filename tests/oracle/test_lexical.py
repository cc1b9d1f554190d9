"""The lexical kernel against a scanner that reads one text, character by character."""

from __future__ import annotations

import math
import random
from itertools import groupby, pairwise, zip_longest
from string import ascii_lowercase
from typing import NamedTuple
from unicodedata import category

import emoji
import numpy as np
import polars as pl
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from watertight.features import lexical, lexicons
from watertight.features.lexical import LEXICAL_COLUMNS, lexical_features
from watertight.features.lexicons import EMOTIONS, lexicon

ENTRIES: dict[str, dict[str, float]] = {
    row.pop("term"): {field: score / 1000 for field, score in row.items() if score is not None} for row in lexicon().to_dicts()
}
EMOTICONS = {term for term, fields in ENTRIES.items() if "emoticon_valence" in fields}

# The oracle

SPACES = {*"\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000", *map(chr, range(0x2000, 0x200B))}
TONES = set(map(chr, range(0x1F3FB, 0x1F400)))
FLAGS = set(map(chr, range(0x1F1E6, 0x1F200)))
STYLES = {"\ufe0f", *TONES, *map(chr, range(0xE0020, 0xE0080))}


class Token(NamedTuple):
    kind: str
    text: str


def chunks_of(text: str) -> list[str]:
    runs = groupby(text, lambda c: "line" if c == "\n" else "space" if c in SPACES else "chunk")
    return ["".join(run) for kind, run in runs if kind != "space"]


def tokens_of(text: str) -> list[Token]:
    return [token for chunk in chunks_of(text) for token in tokens_of_chunk(chunk)]


def tokens_of_chunk(chunk: str) -> list[Token]:
    bare = chunk.rstrip(".,!?…").lower()
    if bare in EMOTICONS:
        return [Token("emoticon", bare)]
    tokens, at = [], 0
    while at < len(chunk):
        for kind, reader in READERS:
            length = reader(chunk[at:])
            if length:
                tokens.append(Token(kind, chunk[at : at + length]))
                at += length
                break
        else:
            at += 1
    return tokens


def url(rest: str) -> int:
    start = next((len(s) for s in ("http://", "https://", "www.") if rest.lower().startswith(s)), None)
    trimmed = rest.rstrip(".,!?…)]\"'")
    return len(trimmed) if start is not None and len(trimmed) > start else 0


def picture(c: str) -> bool:
    return c >= "\u2190" and bool(regex.fullmatch(r"\p{Emoji}", c))


def emoji_sequence(rest: str) -> int:
    if len(rest) > 1 and set(rest[:2]) <= FLAGS:
        return 2
    if rest[0] in "0123456789#*":
        return next((len(key) for key in ("\ufe0f\u20e3", "\u20e3") if rest[1:].startswith(key)), -1) + 1
    if not picture(rest[0]) or rest[0] < "\u2300" or rest[0] in TONES | FLAGS:
        return 0
    end = 1 + run(rest[1:], STYLES.__contains__)
    while rest[end : end + 1] == "\u200d" and picture(rest[end + 1 : end + 2]):
        end += 2
        end += run(rest[end:], STYLES.__contains__)
    return end


def run(rest: str, belongs) -> int:
    return next((i for i, c in enumerate(rest) if not belongs(c)), len(rest))


def digit(c: str) -> bool:
    return category(c) == "Nd"


def number(rest: str) -> int:
    end = run(rest, digit)
    whole = end
    while end and rest[end : end + 1] in {".", ","} and run(rest[end + 1 :], digit):
        end += 1 + run(rest[end + 1 :], digit)
    return end if end > whole else 0


def inside(c: str) -> bool:
    return category(c)[0] in "LMN" or c in "\u200c\u200d"


def word(rest: str) -> int:
    if category(rest[0])[0] not in "LN":
        return 0
    end = run(rest, inside)
    while rest[end : end + 1] in {"'", "\u2019"} and run(rest[end + 1 :], inside):
        end += 1 + run(rest[end + 1 :], inside)
    return end


def mark(rest: str) -> int:
    strong, dots = run(rest, "!?…।॥\n".__contains__), run(rest, ".".__eq__)
    closes = dots == 1 and run(rest[1:], "\"'\u201d\u2019)]".__contains__) == len(rest) - 1
    return strong or (dots if dots > 1 else len(rest) if closes else 0)


READERS = [("url", url), ("emoji", emoji_sequence), ("word", number), ("word", word), ("mark", mark)]


def spelled(text: str) -> str:
    plain = "".join(c for c in text if c != "\ufe0f" and c not in TONES).lower().replace("\u2019", "'")
    if not elongated(plain):
        return plain
    known = [s for s in (plain, cut(plain, 2), cut(plain, 1)) if s in ENTRIES]
    return known[0] if known else plain


def runs(text: str) -> list[str]:
    return ["".join(same) for _, same in groupby(text)]


def elongated(text: str) -> bool:
    return any(len(same) > 2 and same[0] in ascii_lowercase for same in runs(text.lower()))


def cut(text: str, keep: int) -> str:
    return "".join(same[:keep] if elongated(same) else same for same in runs(text))


def all_caps(text: str) -> bool:
    fits = all(category(c) == "Lu" or category(c)[0] in "MN" or c in "'\u2019" for c in text)
    return fits and len(text) > 1 and any(category(c) == "Lu" for c in text)


def sentences_of(tokens: list[Token]) -> list[list[Token]]:
    sentences: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == "mark":
            sentences.append([])
        else:
            sentences[-1].append(token)
    return sentences


def entries_of(sentence: list[Token]) -> list[dict[str, float]]:
    terms = [spelled(t.text) if t.kind == "word" else cut_style(t.text) for t in sentence]
    pairs = [f"{a} {b}" for a, b in zip_longest(terms, terms[1:])]
    return [ENTRIES.get(pair, ENTRIES.get(term, {})) for pair, term in zip(pairs, terms, strict=True)]


def cut_style(text: str) -> str:
    return "".join(c for c in text.lower() if c != "\ufe0f" and c not in TONES)


def negated(entries: list[dict[str, float]], at: int, after: bool) -> bool:
    before = any({"negation", "negation_hindi"} & e.keys() for e in entries[max(0, at - 3) : at])
    return before or (after and any("negation_hindi" in e for e in entries[at + 1 : at + 3]))


def negated_sum(sentences: list[list[dict[str, float]]], field: str, after: bool) -> float:
    return sum(
        entry[field] * (-0.74 if negated(entries, at, after) else 1)
        for entries in sentences
        for at, entry in enumerate(entries)
        if field in entry
    )


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def oracle(text: str) -> dict[str, float]:
    tokens = tokens_of(text)
    words = [t.text for t in tokens if t.kind == "word"]
    sentences = sentences_of(tokens)
    entries = [entries_of(sentence) for sentence in sentences]
    flat = [entry for sentence in entries for entry in sentence]
    scores = {field: [e[field] for e in flat if field in e] for field in lexicons.FIELDS}
    mean = {field: share(sum(found), len(found)) for field, found in scores.items()}
    part = {field: share(sum(found), len(words)) for field, found in scores.items()}
    valence = scores["valence"]
    kinds = [t.kind for t in tokens]
    emphasis = ["".join(g) for hit, g in groupby(text, "!?".__contains__) if hit]
    dots = [len(list(g)) for c, g in groupby(text) if c == "."]
    return {
        "valence_mean": mean["valence"],
        "valence_sum": sum(valence),
        "valence_min": min(valence, default=0),
        "valence_max": max(valence, default=0),
        "valence_hits": len(valence),
        "valence_negated_sum": negated_sum(entries, "valence", after=False),
        "positive_share": share(sum(v > 0 for v in valence), len(words)),
        "negative_share": share(sum(v < 0 for v in valence), len(words)),
        "arousal_mean": mean["arousal"],
        "arousal_hits": len(scores["arousal"]),
        **{f"{emotion}_share": part[emotion] for emotion in EMOTIONS},
        "intensifier_share": part["intensifier"],
        "diminisher_share": part["diminisher"],
        "negation_share": part["negation"] + part["negation_hindi"],
        "profanity_share": part["profanity"],
        "profanity_hinglish_share": part["profanity_hindi"],
        "first_person_share": part["first_person"],
        "second_person_share": part["second_person"],
        "hinglish_share": part["hinglish"],
        "hinglish_valence_mean": mean["hinglish_valence"],
        "hinglish_valence_hits": len(scores["hinglish_valence"]),
        "hinglish_valence_negated_sum": negated_sum(entries, "hinglish_valence", after=True),
        "question_count": text.count("?"),
        "exclamation_count": text.count("!"),
        "ellipsis_count": sum(n > 1 for n in dots) + sum(c == "…" for c, _ in groupby(text)),
        "comma_count": text.count(","),
        "repeated_punctuation_count": sum(len(e) > 1 for e in emphasis),
        "emoji_count": kinds.count("emoji"),
        "emoji_valence_mean": mean["emoji_valence"],
        "emoticon_count": kinds.count("emoticon"),
        "emoticon_valence_mean": mean["emoticon_valence"],
        "url_count": kinds.count("url"),
        "all_caps_share": share(sum(map(all_caps, words)), len(words)),
        "elongated_share": share(sum(map(elongated, words)), len(words)),
        "digit_share": share(sum(map(digit, text)), len(text)),
        "char_count_log": math.log1p(len(text)),
        "word_count_log": math.log1p(len(words)),
        "sentence_count": sum(any(t.kind == "word" for t in sentence) for sentence in sentences),
        "word_length_mean": share(sum(map(len, words)), len(words)),
        "type_token_ratio": share(len({spelled(w) for w in words}), len(words)),
    }


# Texts to try

_PIECES = """
not never don't don\u2019t no nahi mat good GOOD bad kind of sort just enough theek hai main
hoon accha achaa bura bahut soooo gooood baaad LOVEEEE I me you aap fuck gandu uh-uh can't
stand fed up wtf THE A1 x Ünïcodé ÉCOLE İstanbul ΣΊΣΥΦΟΣ 3.14 1,000 2024 ٣٤ ½ :) :D :( <3
^_^ O_o ¯\\_(ツ)_/¯ xD :)!! (: 8) 😂 ❤\ufe0f ❤ 👍🏽 🏽 ♟ 👨\u200d👩\u200d👧\u200d👦
🏳\ufe0f\u200d🌈 🇮🇳 🇮 1\ufe0f\u20e3 1\u20e3 12\u20e3 #\ufe0f\u20e3 🙂\u200d↔\ufe0f ©
‼\ufe0f 🏴\U000e0067\U000e0062\U000e007f https://a.io/x?y=1,2. (http://b.de) WWW.c.in www.
http:// ... .. . … , ! ? ?! !!! ; : — - ' " ) ] .) । नमस्ते क्\u200dष e\u0301 ﬁ \u0301
\u200d \ufe0f \x00 \x00a e.g. U.S. rock'n'roll 'tis dogs' _snake_case_ @me #tag
"""
PIECES = _PIECES.split()
GLUE = [" ", " ", " ", " ", "", "\n", "  ", "\t", "\xa0", "\x1c", ". ", "-", "/", ", "]
CHARACTERS = st.characters(exclude_categories=("Cs", "Cn", "Co"))
PIECE = st.sampled_from(PIECES) | st.sampled_from(sorted(ENTRIES)) | st.text(CHARACTERS, max_size=6)
TEXT = st.lists(st.tuples(PIECE, st.sampled_from(GLUE)), max_size=14).map(lambda p: "".join(map("".join, p)))


def features(*texts: str | None) -> pl.DataFrame:
    return lexical_features(pl.Series(texts, dtype=pl.String))


def of(text: str) -> dict[str, float]:
    return features(text).row(0, named=True)


def bits(table: pl.DataFrame) -> bytes:
    return table.fill_null(-9.0).to_numpy(order="c").tobytes()


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_every_column_is_what_a_scanner_of_one_text_says(texts: list[str]) -> None:
    table = features(*texts)
    for text, row in zip(texts, table.iter_rows(named=True), strict=True):
        expected = {name: np.float32(value) for name, value in oracle(text).items()}
        assert row == pytest.approx(expected, rel=1e-5, abs=1e-6), repr(text)


@pytest.mark.parametrize("piece", PIECES)
def test_every_sort_of_piece_alone_and_amid_words_is_what_the_scanner_says(piece: str) -> None:
    for text in (piece, f"not {piece} good", f"{piece}{piece}", f"a{piece}b {piece}."):
        assert of(text) == pytest.approx(oracle(text), rel=1e-5, abs=1e-6), repr(text)


# Shape and contract


def test_the_table_has_the_named_columns_in_order_all_float32() -> None:
    for table in (features(), features("a", None), lexical_features(pl.Series([None, None]))):
        assert tuple(table.columns) == LEXICAL_COLUMNS
        assert set(table.dtypes) == {pl.Float32}
    assert len(set(LEXICAL_COLUMNS)) == len(LEXICAL_COLUMNS) >= 30
    assert features().height == 0


def test_null_is_all_null_and_a_text_without_a_word_is_all_zero() -> None:
    table = features("good", None, "", "   \n", "bad")
    assert table.row(1) == (None,) * len(LEXICAL_COLUMNS)
    assert set(table.row(2)) == {0.0}
    assert {name for name, value in table.row(3, named=True).items() if value} == {"char_count_log"}
    assert table["valence_sum"].to_list() == pytest.approx([1.9, None, 0, 0, -2.5])


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXT, max_size=5))
def test_no_value_of_a_known_text_is_null_nan_or_infinite(texts: list[str]) -> None:
    assert np.isfinite(features(*texts).to_numpy()).all()


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="Int64"):
        lexical_features(pl.Series([1, 2]))


# Independence of batch


def _crowd(size: int) -> list[str | None]:
    chance = random.Random(7)
    pieces = [*PIECES, *sorted(ENTRIES)]
    return [" ".join(chance.choices(pieces, k=chance.randrange(12))) or None for _ in range(size)]


CROWD = _crowd(10_000)


@settings(max_examples=15, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=5), st.integers(0, len(CROWD)))
def test_a_text_has_the_same_bits_alone_as_among_ten_thousand(texts: list[str], at: int) -> None:
    among = features(*CROWD[:at], *texts, *CROWD[at:]).slice(at, len(texts))
    assert bits(among) == b"".join(bits(features(text)) for text in texts)


def test_a_crowd_has_the_same_bits_backwards_and_in_any_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = CROWD[:100]
    whole = features(*crowd)
    assert bits(features(*crowd[::-1]).reverse()) == bits(whole)
    for size in (1, 500):
        monkeypatch.setattr(lexical, "BLOCK_BYTES", size)
        assert bits(features(*crowd)) == bits(whole)


def test_sums_are_exact_over_a_megabyte() -> None:
    row = of("good bad " * 120_000)
    assert row["valence_sum"] == np.float32((1.9 - 2.5) * 120_000)
    assert row["valence_hits"] == 240_000
    assert row["valence_mean"] == np.float32(-0.3)


UNITS = ["a", "1", ".", "(", "'", "www.", "http://", "1,", "a-", ".)", "😂", "\u200d", "\u0301", "\x00"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_megabyte_without_whitespace_is_one_chunk(unit: str) -> None:
    text = unit * (10**6 // len(unit.encode()))
    assert of(text)["char_count_log"] == pytest.approx(math.log1p(len(text)), rel=1e-6)


# Telling examples


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good", 1.9),
        ("not good", -1.406),
        ("not at all good", -1.406),
        ("not at all that good", 1.9),
        ("I was not there. Good day", 1.9),
        ("I don\u2019t like it", 1.5 * -0.74),
        ("I don ' t like it", 1.5 * -0.74),
    ],
)
def test_a_negation_flips_the_next_three_tokens_of_its_sentence(text: str, expected: float) -> None:
    assert of(text)["valence_negated_sum"] == pytest.approx(expected, rel=1e-6)


def test_hinglish_is_scored_and_negated_from_either_side() -> None:
    plain, denied, before = of("bahut accha"), of("accha nahi hai"), of("kabhi nahi accha")
    assert plain["hinglish_valence_mean"] == plain["hinglish_valence_negated_sum"] == 1.5
    assert plain["intensifier_share"] == plain["hinglish_share"] == 0.5
    assert denied["hinglish_valence_negated_sum"] == before["hinglish_valence_negated_sum"]
    assert denied["hinglish_valence_negated_sum"] == np.float32(-1.11)
    assert of("accha to hai nahi")["hinglish_valence_negated_sum"] == 1.5
    assert of("the movie was very good")["hinglish_share"] == 0


def test_two_words_that_are_one_entry_are_not_read_as_two() -> None:
    assert of("a kind man")["valence_sum"] == np.float32(2.4)
    row = of("kind of tall")
    assert (row["valence_hits"], row["diminisher_share"]) == (0, np.float32(1 / 3))
    assert of("mankind. of")["diminisher_share"] == 0
    assert of("kind. of")["diminisher_share"] == 0
    apart = features("not kind", "of good")["valence_negated_sum"]
    assert apart.to_list() == [np.float32(2.4 * -0.74), np.float32(1.9)]


def test_elongated_words_are_looked_up_as_the_lists_spell_them() -> None:
    assert of("Gooood")["valence_sum"] == np.float32(1.9)
    assert of("sooooo")["intensifier_share"] == 1
    assert of("sooooo")["elongated_share"] == 1
    assert of("www mississippi good")["elongated_share"] == np.float32(1 / 3)


def test_emotions_pronouns_and_shouting_are_shares_of_words() -> None:
    row = of("I am TERRIFIED and you are furious!!! Kya??")
    assert row["fear_share"] == row["anger_share"] == row["all_caps_share"] == 0.125
    assert row["first_person_share"] == row["second_person_share"] == row["hinglish_share"] == 0.125
    assert (row["exclamation_count"], row["question_count"], row["repeated_punctuation_count"]) == (3, 2, 2)
    assert row["sentence_count"] == 2


def test_profanity_leaves_identities_and_everyday_words_alone() -> None:
    assert of("gay god virgin uterus drunk omg lesbians")["profanity_share"] == 0
    assert of("holy shit")["profanity_share"] == 0.5
    assert of("abe gandu chutiye")["profanity_hinglish_share"] == np.float32(2 / 3)


def test_emoticons_stand_alone_and_are_not_words() -> None:
    row = of("nice :D, really 8) (50%) see d: <3")
    assert row["emoticon_count"] == 2
    assert row["word_count_log"] == np.float32(math.log1p(6))


def test_each_emoji_of_unicode_counts_once() -> None:
    status = emoji.EMOJI_DATA.items()
    full = [e for e, data in status if data["status"] == emoji.STATUS["fully_qualified"] and data["E"] <= 15]
    pictures = [e for e in full if len(e.rstrip("\ufe0f")) > 1 or e[0] >= "\u2300"]
    counts = features(*pictures)["emoji_count"].to_list()
    assert [e for e, n in zip(pictures, counts, strict=True) if n != 1] == []
    assert len(pictures) > 3_000
    assert of("".join(pictures[:50]))["emoji_count"] == 50


def test_skin_tone_and_variation_selector_do_not_change_an_emojis_valence() -> None:
    assert of("👍")["emoji_valence_mean"] == of("👍🏿")["emoji_valence_mean"] == 1.5
    assert of("❤")["emoji_valence_mean"] == of("❤️")["emoji_valence_mean"] > 0
    assert of("💔")["emoji_valence_mean"] < 0


def test_nul_bytes_and_combining_characters_are_characters_not_words() -> None:
    row = of("\x00\x00 cafe\u0301 \u0301")
    assert row["word_count_log"] == np.float32(math.log1p(1))
    assert row["word_length_mean"] == 5


# The lists


def test_valence_is_vaders_own_for_each_of_its_words() -> None:
    vader = SentimentIntensityAnalyzer().lexicon
    words = {term: score for term, score in vader.items() if regex.fullmatch("[a-z]+", term)}
    assert {term: ENTRIES[term]["valence"] for term in words} == pytest.approx(words)
    assert len(words) > 7_000


def test_no_own_hinglish_term_has_an_english_valence() -> None:
    own = ("hinglish", "hinglish_valence", "profanity_hindi", "negation_hindi")
    assert [t for t, e in ENTRIES.items() if "valence" in e and e.keys() & set(own)] == []


def test_own_lists_name_each_term_once_a_field_and_are_long_enough() -> None:
    entries = [(term, field) for term, field, _ in lexicons._own()]
    assert [a for a, b in pairwise(sorted(entries)) if a == b] == []
    sizes = pl.Series([field for _, field in entries]).value_counts()
    size = dict(sizes.iter_rows())
    assert min(size[emotion] for emotion in EMOTIONS) >= 60
    assert (size["arousal"] >= 200, size["hinglish"] >= 150, size["hinglish_valence"] >= 120) == (True,) * 3


def test_scores_lie_in_their_ranges() -> None:
    bound = dict.fromkeys(lexicons.FIELDS, 1.0) | dict.fromkeys(lexical._MEANS, 4.0) | {"arousal": 1.0}
    assert [t for t, e in ENTRIES.items() if any(abs(score) > bound[f] for f, score in e.items())] == []


def test_every_term_of_the_table_can_be_found_in_a_text() -> None:
    table = lexicon()
    found = features(*table["term"])
    for field in ("valence", "emoji_valence", "emoticon_valence", "arousal", "hinglish_valence"):
        missed = table.filter(pl.col(field).is_not_null() & (found[f"{field}_mean"] == 0))
        assert missed["term"].to_list() == []


def test_an_unknown_field_of_an_own_list_is_refused() -> None:
    with pytest.raises(ValueError, match="valense"):
        lexicons._refuse_unknown(pl.Series(["valence", "valense"]))
