"""The word lists behind the lexical features, as one table: a row per term, a column per field.

From libraries, read from their package data:

- VADER (vaderSentiment, MIT; Hutto & Gilbert 2014): valence of words and emoticons, negations, intensifiers
  and diminishers;
- better_profanity (MIT): English profanity.

Our own, in ``lexicons/*.tsv`` (term, field, score), where we found no maintained, permissively licensed list:
arousal, the six emotions, emoji, pronouns, and all that is Hinglish (Hindi in Latin script). They are short
hand-written judgements, not measured norms, and fitted on no data set, so no label can leak through them.
``profanity_exempt`` takes identities, medicine and everyday words ("gay", "uterus", "god") out of the English
profanity. VADER's emoji descriptions are left aside: they score a raised hand 2.2 and the flag of the United
States 1.8.

A term is one word, or two words with a space between (a hyphen counts as one), or an emoji, or an emoticon.
VADER's negations also stand as some corpora split them ("don ' t"). Of the libraries' lists, longer phrases,
spellings with symbols ("sh!t") and bare numbers ("143") are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import polars as pl
from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE

EMOTIONS = ("joy", "sadness", "anger", "fear", "surprise", "disgust")
FIELDS = (
    "valence", "arousal", *EMOTIONS, "intensifier", "diminisher", "negation", "negation_hindi", "profanity",
    "profanity_hindi", "first_person", "second_person", "hinglish", "hinglish_valence", "emoji_valence",
    "emoticon_valence",
)  # fmt: skip
SCALE = 1000

_WORDS = re.compile(r"(?!\d+$)[a-z0-9']+|[a-z']{2,} [a-z']{2,}")
_EMOTICON = re.compile(r"(?=..)[^a-z0-9\s]+[a-z0-9]?[^a-z0-9\s]*(?<![.,!?…])")
_EMOJI_STYLE = r"[\x{FE0F}\x{1F3FB}-\x{1F3FF}]"

_Entry = tuple[str, str, float]


@cache
def lexicon() -> pl.DataFrame:
    """All lists as one table, sorted by term.

    Returns:
        ``term`` (String, unique, lower case, emoji without skin tone and variation selector) and each of
        ``FIELDS`` (Int64): the score times ``SCALE``; a list without scores scores 1. Null means that the
        field's list has no such term. Scores are whole numbers so that sums of them are exact in any order.
        Valence runs from -4 to 4, arousal from -1 (calm) to 1 (agitated).

    Raises:
        ValueError: an own list names an unknown field.
    """
    entries = [*_vader_words(), *_vader_degrees(), *_vader_negations(), *_english_profanity(), *_own()]
    table = pl.DataFrame(entries, schema=["term", "field", "score"], orient="row")
    _refuse_unknown(table["field"])
    table = table.with_columns(term=without_style(pl.col("term")), score=(pl.col("score") * SCALE).round())
    table = table.unique(["term", "field"], keep="last", maintain_order=True)
    wide = table.pivot("field", on_columns=FIELDS, index="term", values="score")
    return _without_exempt(table, wide).select("term", pl.col(FIELDS).cast(pl.Int64)).sort("term")


def without_style(emoji: pl.Expr) -> pl.Expr:
    """The text without skin tones and emoji variation selectors."""
    return emoji.str.replace_all(_EMOJI_STYLE, "")


def _refuse_unknown(fields: pl.Series) -> None:
    unknown = sorted(set(fields) - {*FIELDS, "profanity_exempt"})
    if unknown:
        raise ValueError(f"lexicons/*.tsv: unknown fields {unknown}; known are {sorted(FIELDS)}")


def _without_exempt(table: pl.DataFrame, wide: pl.DataFrame) -> pl.DataFrame:
    exempt = table.filter(field="profanity_exempt")["term"].implode()
    kept = pl.when(~pl.col("term").is_in(exempt)).then("profanity")
    return wide.with_columns(kept.alias("profanity")).filter(pl.any_horizontal(pl.col(FIELDS).is_not_null()))


def _lines(package: str, path: str) -> list[str]:
    text = files(package).joinpath(path).read_text(encoding="utf-8")
    return [line.rstrip("\r") for line in text.split("\n") if line.strip()]


def _words(field: str, terms: Iterable[tuple[str, float]]) -> list[_Entry]:
    spaced = [(term.lower().replace("-", " "), score) for term, score in terms]
    return [(term, field, score) for term, score in spaced if _WORDS.fullmatch(term)]


def _vader_words() -> list[_Entry]:
    rows = [line.split("\t")[:2] for line in _lines("vaderSentiment", "vader_lexicon.txt")]
    scored = [(term.lower(), float(score)) for term, score in rows]
    emoticons = [(term, "emoticon_valence", score) for term, score in scored if _EMOTICON.fullmatch(term)]
    return _words("valence", scored) + emoticons


def _vader_degrees() -> list[_Entry]:
    more = [(term, 1.0) for term, step in BOOSTER_DICT.items() if step > 0]
    less = [(term, 1.0) for term, step in BOOSTER_DICT.items() if step < 0]
    return _words("intensifier", more) + _words("diminisher", less)


def _vader_negations() -> list[_Entry]:
    tokenised = [(term.replace("'", " "), "negation", 1.0) for term in NEGATE if "'" in term]  # "don ' t"
    return _words("negation", [(term, 1.0) for term in NEGATE]) + tokenised


def _english_profanity() -> list[_Entry]:
    return _words("profanity", [(line, 1.0) for line in _lines("better_profanity", "profanity_wordlist.txt")])


def _own() -> list[_Entry]:
    lists = sorted(path.name for path in files(__package__).joinpath("lexicons").iterdir())
    rows = [line.split("\t") for name in lists for line in _lines(__package__, f"lexicons/{name}")[1:]]
    return [(term, field, float(score)) for term, field, score in rows]
