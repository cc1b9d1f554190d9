"""A reflection: which sentences it holds, in which order, until it is as long as it should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import NamedTuple

from pipelines.sources.perception.grammar.clauses import SWEARING_KINDS, Situation, make_clause
from pipelines.sources.perception.grammar.dice import Dice
from pipelines.sources.perception.grammar.sentences import Clause, Sentence, Writer, count_words
from pipelines.sources.perception.grammar.voice import Voice

SHORT_WORDS = 25
"""A text of at most so many words is short."""
_KINDS = ("event", "feeling", "opinion", "opinion", "routine", "routine", "body")
_SHORT_KINDS = ("event", "feeling", "feeling", "opinion")
_ADDITIONS = 60


@dataclass
class Reflection:
    """A text under way: its sentences, the templates and kinds they came from, and the affect they show."""

    sentences: list[str] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    tones: list[float] = field(default_factory=list)
    arousals: list[float] = field(default_factory=list)
    loud: int = 0
    words: int = 0

    @property
    def valence(self) -> float:
        """Mean tone of the evaluating sentences, -1 to 1: the part of valence that a reader can see."""
        return fmean(self.tones)

    @property
    def arousal(self) -> float:
        """What a reader can see of arousal, -1 to 1: 0.6 by what is said, 0.4 by exclamations."""
        return 0.6 * fmean(self.arousals or [0.0]) + 0.4 * (2 * self.loud / len(self.sentences) - 1)


class _Task(NamedTuple):
    situation: Situation
    voice: Voice
    writer: Writer


def compose(situation: Situation, voice: Voice, writer: Writer) -> Reflection:
    """Required sentences, then those worth trying, then free ones up to `target`; the first ignore `cap`."""
    task, reflection = _Task(situation, voice, writer), Reflection()
    for kind in _required(situation, writer.dice):
        _add(reflection, kind, task, cap=None)
    for kind in _worth_trying(situation, reflection):
        _add(reflection, kind, task, situation.cap)
    for _ in range(_ADDITIONS):
        if reflection.words >= situation.target:
            break
        _add(reflection, _free(situation, writer.dice), task, situation.cap)
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
        return [dice.pick(_SHORT_KINDS), *situation.edges]
    return list(situation.edges)


def _worth_trying(situation: Situation, reflection: Reflection) -> list[str]:
    """A feeling where the emotion would not show else; what is meant to be said of help and the past."""
    unclear = situation.expressed != situation.invoked or "event" not in reflection.kinds
    return (
        ["feeling"] * (unclear and "feeling" not in reflection.kinds)
        + ["help"] * (situation.help != 0)
        + ["comparison"] * (situation.comparison is not None)
    )


def _free(situation: Situation, dice: Dice) -> str:
    return dice.pick(_SHORT_KINDS if situation.target <= SHORT_WORDS else _KINDS)


def _add(reflection: Reflection, kind: str, task: _Task, cap: int | None) -> None:
    """Adds a sentence of the kind; none where the text would then be longer than `cap` words."""
    situation, voice, writer = task
    profane = situation.profanity and _swears(kind, reflection, writer.dice)
    clause = make_clause(kind, situation, voice.vocabulary, writer.dice, profane)
    opening = not reflection.sentences
    sentence = writer.sentence(clause, voice, situation.arousal, reflection.templates, opening=opening)
    words = count_words(sentence.text)
    if cap is None or reflection.words + words <= cap:
        _keep(reflection, kind, clause, sentence, words)


def _keep(reflection: Reflection, kind: str, clause: Clause, sentence: Sentence, words: int) -> None:
    reflection.sentences.append(sentence.text)
    reflection.templates.append(sentence.template)
    reflection.kinds.append(kind)
    reflection.tones += [] if clause.tone is None else [clause.tone]
    reflection.arousals += [] if clause.arousal is None else [clause.arousal]
    reflection.loud += sentence.loud
    reflection.words += words


def _swears(kind: str, reflection: Reflection, dice: Dice) -> bool:
    """The first sentence that may swear does, so that a row marked for profanity holds some."""
    first = SWEARING_KINDS.isdisjoint(reflection.kinds)
    return kind in SWEARING_KINDS and (first or dice.chance(0.15))
