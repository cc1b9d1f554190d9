"""What the sentences of a reflection say: each kind of sentence as a clause, with the affect it carries."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.sources.perception.grammar.dice import Dice
from pipelines.sources.perception.grammar.emotions import EMOTIONS
from pipelines.sources.perception.grammar.sentences import Clause
from pipelines.sources.perception.grammar.vocabulary import Vocabulary

SPOKEN_EDGES: dict[str, float] = {
    "suicidal_ideation": -1.0,
    "self_harm": -0.9,
    "abuse": -0.8,
    "sociopathic": -0.3,
    "financial_coercion": -0.6,
}
"""The edge cases with a sentence of their own, and the tone of that sentence."""
SWEARING_KINDS = frozenset({"event", "feeling", "opinion"})


@dataclass(frozen=True)
class Situation:
    """What a reflection has to convey; emotions by name, valence -1 to 1, arousal -1, 0 or 1, sizes in words.

    `help` is 1 for wanting help, -1 for refusing it, 0 for silence; a null `comparison` is silence too.
    """

    invoked: str
    expressed: str
    valence: float
    arousal: int
    target: int
    cap: int
    edges: tuple[str, ...]
    sarcasm: bool
    profanity: bool
    help: int
    comparison: int | None


def make_clause(kind: str, situation: Situation, words: Vocabulary, dice: Dice, profane: bool) -> Clause:
    """The clause for one kind of sentence.

    Kinds: event, feeling, opinion, routine, body, help, comparison, and the SPOKEN_EDGES.
    Only SWEARING_KINDS may be `profane`. Raises KeyError for an unknown kind.
    """
    if kind in SPOKEN_EDGES:
        return Clause(words.edges[kind], SPOKEN_EDGES[kind], plain=True)
    if kind in SWEARING_KINDS:
        evaluating = {"event": _event, "feeling": _feeling, "opinion": _opinion}
        return evaluating[kind](situation, words, dice, profane)
    telling = {"routine": _routine, "body": _body, "help": _help, "comparison": _comparison}
    return telling[kind](situation, words)


def _event(situation: Situation, words: Vocabulary, dice: Dice, profane: bool) -> Clause:
    affect, templates = EMOTIONS[situation.invoked], words.events[situation.invoked]
    return Clause(templates, *affect, sarcastic=situation.sarcasm, profane=profane, timed=True)


def _feeling(situation: Situation, words: Vocabulary, dice: Dice, profane: bool) -> Clause:
    level = _level(1 + 2 * abs(situation.valence), 1, 3, dice)
    degrees = words.profane_degrees if profane and dice.chance(0.5) else words.degrees[level]
    valence, arousal = EMOTIONS[situation.expressed]
    ironic = situation.sarcasm and valence > 0
    tone = valence * (0.4 + 0.2 * level) * (-1 if ironic else 1)
    given = {"degree": degrees, "feeling": words.feelings[situation.expressed]}
    return Clause(words.feeling_frames, tone, arousal, given, ironic, profane, timed=True)


def _opinion(situation: Situation, words: Vocabulary, dice: Dice, profane: bool) -> Clause:
    level = _level(3 * situation.valence, -3, 3, dice)
    if situation.sarcasm and level < 0 and dice.chance(0.75):
        praise = {"quality": words.qualities[min(3, 1 - level)]}
        return Clause(words.sarcastic_frames, level / 3, None, praise, sarcastic=True, profane=profane)
    return Clause(words.opinion_frames, level / 3, None, {"quality": words.qualities[level]}, profane=profane)


def _routine(_: Situation, words: Vocabulary) -> Clause:
    return Clause(words.routines, timed=True)


def _body(situation: Situation, words: Vocabulary) -> Clause:
    return Clause(words.body[situation.arousal], arousal=float(situation.arousal), timed=True)


def _help(situation: Situation, words: Vocabulary) -> Clause:
    return Clause(words.help[situation.help])


def _comparison(situation: Situation, words: Vocabulary) -> Clause:
    return Clause(words.comparison[situation.comparison or 0])


def _level(centre: float, low: int, high: int, dice: Dice) -> int:
    """`centre` with a little noise, as a whole number between `low` and `high`."""
    return min(high, max(low, round(centre + 1.5 * (dice.uniform() - 0.5))))
