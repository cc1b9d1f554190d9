"""Lexical features: what can be counted in a text without a model.

One pass: texts -> chunks between whitespace -> tokens -> word lists -> whole-number sums per text -> ratios.
Chunks repeat, so each distinct one is cut into tokens once. Sums are of integers, so neither the order of
addition, nor the batch, nor the number of threads leaves a trace in the bits.
"""

from __future__ import annotations

from string import ascii_lowercase

import polars as pl

from watertight.features.lexicons import EMOTIONS, FIELDS, SCALE, lexicon, without_style

BLOCK_BYTES = 4 * 2**20
WINDOW = 3
WINDOW_AFTER = 2
FLIP_PERCENT = -74

_URL = r"(?i:https?://|www\.)\S*[^\s.,!?…)\]\"']"
_PICTURE = r"[\p{Emoji}&&[\x{2300}-\x{1FAFF}]--[\x{1F1E6}-\x{1F1FF}\x{1F3FB}-\x{1F3FF}]]"
_JOINED = r"\x{200D}[\p{Emoji}&&[\x{2190}-\x{1FAFF}]]"
_STYLE = r"[\x{FE0F}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]*"
_EMOJI = (
    r"[\x{1F1E6}-\x{1F1FF}]{2}|[0-9#*]\x{FE0F}?\x{20E3}"
    rf"|{_PICTURE}{_STYLE}(?:{_JOINED}{_STYLE})*"
)
_NUMBER = r"\p{Nd}+(?:[.,]\p{Nd}+)+"
_LETTERS = r"[\p{L}\p{M}\p{N}\x{200C}\x{200D}]"
_WORD = rf"[\p{{L}}\p{{N}}]{_LETTERS}*(?:['\x{{2019}}]{_LETTERS}+)*"
_BREAK = r"[!?…।॥\n]+|\.{2,}|\.[\"'\x{201D}\x{2019})\]]*$"
_TOKEN = "|".join([_URL, _EMOJI, _NUMBER, _WORD, _BREAK])
_CHUNK = r"\S+|\n+"
_ALL_CAPS = r"^[\p{Lu}\p{M}\p{N}'\x{2019}]{2,}$"
_ELONGATED = "|".join(letter * 3 for letter in ascii_lowercase)

_MEANS = ("valence", "arousal", "hinglish_valence", "emoji_valence", "emoticon_valence")
_SURFACE = {
    "question": r"\?",
    "exclamation": "!",
    "ellipsis": r"\.{2,}|…+",
    "comma": ",",
    "repeated": "[!?]{2,}",
    "digit": r"\p{Nd}",
}


def _ratio(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole).otherwise(0.0)


def _total(name: str) -> pl.Expr:
    return pl.col(name) / SCALE


def _mean(field: str) -> pl.Expr:
    return _ratio(_total(field), pl.col(f"{field}_hits"))


def _share(name: str) -> pl.Expr:
    return _ratio(pl.col(name), pl.col("words"))


def _field_share(*fields: str) -> pl.Expr:
    return _ratio(pl.sum_horizontal(fields) / SCALE, pl.col("words"))


_FEATURES: dict[str, pl.Expr] = {
    "valence_mean": _mean("valence"),
    "valence_sum": _total("valence"),
    "valence_min": _total("valence_min"),
    "valence_max": _total("valence_max"),
    "valence_hits": pl.col("valence_hits"),
    "valence_negated_sum": _total("valence_negated"),
    "positive_share": _share("positive"),
    "negative_share": _share("negative"),
    "arousal_mean": _mean("arousal"),
    "arousal_hits": pl.col("arousal_hits"),
    **{f"{emotion}_share": _field_share(emotion) for emotion in EMOTIONS},
    "intensifier_share": _field_share("intensifier"),
    "diminisher_share": _field_share("diminisher"),
    "negation_share": _field_share("negation", "negation_hindi"),
    "profanity_share": _field_share("profanity"),
    "profanity_hinglish_share": _field_share("profanity_hindi"),
    "first_person_share": _field_share("first_person"),
    "second_person_share": _field_share("second_person"),
    "hinglish_share": _field_share("hinglish"),
    "hinglish_valence_mean": _mean("hinglish_valence"),
    "hinglish_valence_hits": pl.col("hinglish_valence_hits"),
    "hinglish_valence_negated_sum": _total("hinglish_valence_negated"),
    "question_count": pl.col("question"),
    "exclamation_count": pl.col("exclamation"),
    "ellipsis_count": pl.col("ellipsis"),
    "comma_count": pl.col("comma"),
    "repeated_punctuation_count": pl.col("repeated"),
    "emoji_count": pl.col("is_emoji"),
    "emoji_valence_mean": _mean("emoji_valence"),
    "emoticon_count": pl.col("is_emoticon"),
    "emoticon_valence_mean": _mean("emoticon_valence"),
    "url_count": pl.col("is_url"),
    "all_caps_share": _share("all_caps"),
    "elongated_share": _share("elongated"),
    "digit_share": _ratio(pl.col("digit"), pl.col("chars")),
    "char_count_log": pl.col("chars").log1p(),
    "word_count_log": pl.col("words").log1p(),
    "sentence_count": pl.col("sentences"),
    "word_length_mean": _share("letters"),
    "type_token_ratio": _share("types"),
}

LEXICAL_COLUMNS: tuple[str, ...] = tuple(_FEATURES)


def lexical_features(texts: pl.Series) -> pl.DataFrame:
    """Counts, shares and word-list scores of each text.

    A pure function of the one text: its row has the same bits alone as among ten thousand others.

    Tokens are words (letters, marks, digits, apostrophes within; a hyphen parts them), numbers, URLs, emoji
    (one per ZWJ sequence, flag or keycap), emoticons (a whole chunk between whitespace, but for punctuation
    after it) and sentence marks. Words are looked up in lower case, elongated ones ("sooo") also with the run
    cut to two letters, then to one. Where two words in a row are an entry ("kind of"), it stands for the
    first of them.

    Args:
        texts: n texts, String; null means unknown.

    Returns:
        n rows in the given order with ``LEXICAL_COLUMNS``, all Float32. A null text has null in all columns.
        No value is otherwise null, NaN or infinite: a text without words, or without a hit, has 0, also in
        its means, minima and maxima; where 0 could be taken for a score, a count or ``_hits`` column tells.

        - ``valence_*``: VADER's word valence, -4 to 4. ``valence_negated_sum`` multiplies by -0.74 (VADER's
          N_SCALAR) the words with a negation among the three tokens before, in the same sentence;
        - ``positive_share``, ``negative_share``: words with valence above, below 0, of all words;
        - ``arousal_mean``: -1 (calm) to 1 (agitated), over ``arousal_hits`` words;
        - ``joy_share`` ... ``disgust_share``, ``intensifier_share`` ... ``hinglish_share``: words of that
          list, of all words. The lists but profanity's hold English and Hinglish alike; ``hinglish_share`` is
          of frequent Hindi words in Latin script;
        - ``hinglish_valence_*``: our own list, -3 to 3; the negated sum flips also where a Hindi negation
          follows within two tokens ("accha nahi");
        - ``*_count``: occurrences, of punctuation also within URLs. An ellipsis is two dots or more, repeated
          punctuation a run of two or more of ``!`` and ``?``;
        - ``emoji_valence_mean``, ``emoticon_valence_mean``: over those with a score, -4 to 4;
        - ``all_caps_share``: words of two or more characters without a lower-case letter;
          ``elongated_share``: words with a letter a-z three times in a row;
        - ``digit_share``: decimal digits, of all characters;
        - ``char_count_log``, ``word_count_log``: ln(1 + n);
        - ``sentence_count``: stretches of words between sentence marks or line ends;
        - ``word_length_mean``: characters; ``type_token_ratio``: distinct words (as looked up), of all words.

    Raises:
        TypeError: ``texts`` is neither String nor all null.

    Sources: Hutto & Gilbert (2014), VADER; see ``watertight.features.lexicons`` for all lists.
    """
    if texts.dtype not in (pl.String, pl.Null):
        raise TypeError(f"lexical_features wants a String series, not {texts.dtype}: cast it first")
    rows = texts.cast(pl.String).alias("text").to_frame().with_row_index("row")
    blocks = [_block(block) for block in _blocks(rows)]
    empty = pl.DataFrame(schema=dict.fromkeys(LEXICAL_COLUMNS, pl.Float32))
    return pl.concat([empty, *blocks])


def _blocks(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows cut into runs of about ``BLOCK_BYTES`` of text, so that memory stays bounded."""
    block = pl.col("text").str.len_bytes().fill_null(0).cast(pl.Int64).cum_sum() // BLOCK_BYTES
    return rows.with_columns(block=block).partition_by("block", maintain_order=True) if rows.height else []


def _block(rows: pl.DataFrame) -> pl.DataFrame:
    counts = _counted(_scored(_in_context(_tokens(rows))))
    table = rows.join(counts, on="row", how="left", maintain_order="left").with_columns(_surface())
    table = table.with_columns(pl.col(counts.columns).fill_null(0))
    values = table.select(value.cast(pl.Float32).alias(name) for name, value in _FEATURES.items())
    return values.select(pl.when(table["text"].is_not_null()).then(pl.all()))


def _surface() -> list[pl.Expr]:
    text = pl.col("text").str
    return [text.len_chars().alias("chars"), *(text.count_matches(p).alias(n) for n, p in _SURFACE.items())]


def _tokens(rows: pl.DataFrame) -> pl.DataFrame:
    """All tokens, in order: ``row``, ``id`` of their chunk, and what ``_vocabulary`` says."""
    chunks = rows.select("row", chunk=pl.col("text").str.extract_all(_CHUNK)).explode("chunk").drop_nulls()
    distinct = chunks.select(pl.col("chunk").unique()).with_row_index("id")
    numbered = chunks.join(distinct, on="chunk", maintain_order="left").drop("chunk")
    return numbered.join(_vocabulary(distinct), on="id", maintain_order="left_right")


def _vocabulary(distinct: pl.DataFrame) -> pl.DataFrame:
    """The tokens of each chunk, in order, with its ``id``, their kind and the ``term`` to look up."""
    bare = pl.col("chunk").str.strip_chars_end(".,!?…").str.to_lowercase()
    emoticons = lexicon().filter(pl.col("emoticon_valence").is_not_null())["term"].implode()
    table = distinct.with_columns(is_emoticon=bare.is_in(emoticons))
    inner = pl.col("chunk").str.extract_all(_TOKEN)
    token = pl.when("is_emoticon").then(pl.concat_list(bare)).otherwise(inner)
    tokens = table.select("id", "is_emoticon", token=token).explode("token").drop_nulls()
    return _with_term(_with_kind(tokens))


def _with_kind(table: pl.DataFrame) -> pl.DataFrame:
    token, rest = pl.col("token").str, ~pl.col("is_emoticon")
    table = table.with_columns(
        is_url=rest & token.contains(f"^{_URL}"),
        is_emoji=rest & token.contains(f"^(?:{_EMOJI})$"),
        is_break=rest & token.contains(r"^[.!?…।॥\n]"),
    )
    word = ~pl.any_horizontal("is_emoticon", "is_url", "is_emoji", "is_break")
    return table.with_columns(
        is_word=word,
        all_caps=word & token.contains(_ALL_CAPS) & token.contains(r"\p{Lu}"),
        elongated=word & token.to_lowercase().str.contains(_ELONGATED),
        letters=pl.when(word).then(token.len_chars()),
    )


def _with_term(table: pl.DataFrame) -> pl.DataFrame:
    plain = without_style(pl.col("token")).str.to_lowercase().str.replace_all("\u2019", "'", literal=True)
    table = table.with_columns(term=plain).drop("token")
    elongated = table.filter("elongated")["term"].unique()
    return table.with_columns(pl.col("term").replace(elongated, _squeezed(elongated)))


def _squeezed(elongated: pl.Series) -> pl.Series:
    """Each elongated word as the lists spell it ("sooo" -> "so", "gooood" -> "good"), or else as it is."""
    word, known = pl.col("word"), lexicon()["term"].implode()
    spellings = [word, _cut(word, 2), _cut(word, 1)]
    first_known = pl.coalesce(*(pl.when(s.is_in(known)).then(s) for s in spellings), word)
    return elongated.to_frame("word").select(first_known).to_series()


def _cut(word: pl.Expr, keep: int) -> pl.Expr:
    for letter in ascii_lowercase:
        word = word.str.replace_all(f"{letter}{{3,}}", letter * keep)
    return word


def _in_context(tokens: pl.DataFrame) -> pl.DataFrame:
    """Adds the ``sentence`` of each token; where two words are one entry, it becomes the first one's term."""
    starts = pl.col("is_break") | (pl.col("row") != pl.col("row").shift(1, fill_value=0))
    tokens = tokens.with_columns(sentence=starts.cum_sum(), word=pl.when("is_word").then("term"))
    pair = pl.concat_str("term", pl.col("term").shift(-1), separator=" ")
    pairs = lexicon().filter(pl.col("term").str.contains(" ", literal=True))["term"].implode()
    same = pl.col("sentence") == pl.col("sentence").shift(-1)
    return tokens.with_columns(term=pl.when(same & pair.is_in(pairs)).then(pair).otherwise("term"))


def _scored(tokens: pl.DataFrame) -> pl.DataFrame:
    tokens = tokens.join(lexicon(), on="term", how="left", maintain_order="left")
    before = range(1, WINDOW + 1)
    negated = _near("negation", before) | _near("negation_hindi", before)
    negated_after = negated | _near("negation_hindi", range(-WINDOW_AFTER, 0))
    return tokens.with_columns(
        valence_negated=_flipped("valence", negated),
        hinglish_valence_negated=_flipped("hinglish_valence", negated_after),
    )


def _near(field: str, steps: range) -> pl.Expr:
    """Whether a token so many steps before (below 0: after), in the same sentence, is in the field's list."""
    hit, sentence = pl.col(field).is_not_null(), pl.col("sentence")
    near = [hit.shift(step) & (sentence.shift(step) == sentence) for step in steps]
    return pl.any_horizontal(near).fill_null(False)


def _flipped(field: str, negated: pl.Expr) -> pl.Expr:
    return pl.when(negated).then(pl.col(field) * FLIP_PERCENT // 100).otherwise(pl.col(field))


def _counted(tokens: pl.DataFrame) -> pl.DataFrame:
    """Whole-number sums per row; rows without a token are left out."""
    valence, sums = pl.col("valence"), [*FIELDS, "valence_negated", "hinglish_valence_negated", "letters"]
    return tokens.group_by("row").agg(
        pl.col(*sums, "all_caps", "elongated", "is_emoji", "is_emoticon", "is_url").sum(),
        *(pl.col(field).count().alias(f"{field}_hits") for field in _MEANS),
        words=pl.col("is_word").sum(),
        types=pl.col("word").drop_nulls().n_unique(),
        sentences=pl.col("sentence").filter("is_word").n_unique(),
        positive=(valence > 0).sum(),
        negative=(valence < 0).sum(),
        valence_min=valence.min(),
        valence_max=valence.max(),
    )
