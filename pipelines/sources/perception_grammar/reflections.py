"""A reflection: which sentences it holds, in which order, until it is as long as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from pipelines.sources.perception_grammar.clauses import SWEARING_KINDS, Situation, make_clause
from pipelines.sources.perception_grammar.dice import Dice
from pipelines.sources.perception_grammar.sentences import Writer, count_words
from pipelines.sources.perception_grammar.voice import Voice

SHORT_WORDS = 25
"""A text of at most so many words is short."""
_STREAM = ("event", "feeling", "opinion", "opinion", "routine", "routine", "body")
_SHORT_STREAM = ("event", "feeling", "feeling", "opinion")
_MISSES = 6


@dataclass
class Reflection:
    """A text under way: its sentences, their kinds, and the tones of those that evaluate."""

    sentences: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    tones: list[float] = field(default_factory=list)
    words: int = 0

    @property
    def tone(self) -> float:
        """Mean tone of the evaluating sentences, -1 to 1: the part of valence that a reader can see."""
        return sum(self.tones) / len(self.tones)


def compose(situation: Situation, voice: Voice, writer: Writer) -> Reflection:
    """The required sentences first, then wished and free ones until `target` words; optional ones keep to `cap`."""
    reflection = Reflection()
    for kind in _required(situation, writer.dice):
        _add(reflection, kind, situation, voice, writer, cap=None)
    misses = 0
    for kind in chain(_wished(situation), _stream(situation, writer.dice)):
        if reflection.words >= situation.target or misses > _MISSES:
            break
        misses += not _add(reflection, kind, situation, voice, writer, situation.cap)
    return reflection


def laid_out(sentences: list[str], dice: Dice) -> str:
    """The sentences as one text: the first stays first, the others are mixed; long texts get paragraphs."""
    order = [sentences[0], *dice.sample(sentences[1:], len(sentences))]
    if len(order) < 9:
        return " ".join(order)
    return "\n\n".join(" ".join(order[start : start + 6]) for start in range(0, len(order), 6))


def _required(situation: Situation, dice: Dice) -> list[str]:
    if situation.target > SHORT_WORDS:
        return ["event", "feeling", *situation.edges]
    if situation.sarcasm:
        return ["event", *situation.edges]
    if situation.profanity or not situation.edges:
        return [dice.pick(_SHORT_STREAM), *situation.edges]
    return list(situation.edges)


def _wished(situation: Situation) -> list[str]:
    return ["help"] * (situation.help != 0) + ["comparison"] * (situation.comparison is not None)


def _stream(situation: Situation, dice: Dice) -> Iterator[str]:
    kinds = _SHORT_STREAM if situation.target <= SHORT_WORDS else _STREAM
    while True:
        yield dice.pick(kinds)


def _add(
    reflection: Reflection, kind: str, situation: Situation, voice: Voice, writer: Writer, cap: int | None
) -> bool:
    profane = situation.profanity and _swears(kind, reflection, writer.dice)
    clause = make_clause(kind, situation, voice.vocabulary, writer.dice, profane)
    sentence = writer.sentence(clause, voice, situation.arousal, opening=not reflection.sentences)
    words = count_words(sentence)
    if cap is not None and reflection.words + words > cap:
        return False
    reflection.sentences.append(sentence)
    reflection.kinds.append(kind)
    reflection.tones += [] if clause.tone is None else [clause.tone]
    reflection.words += words
    return True


def _swears(kind: str, reflection: Reflection, dice: Dice) -> bool:
    """The first sentence that may swear does, so that a row marked for profanity holds some; later ones may."""
    first = SWEARING_KINDS.isdisjoint(reflection.kinds)
    return kind in SWEARING_KINDS and (first or dice.chance(0.15))
