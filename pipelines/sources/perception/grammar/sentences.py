"""Sentences from templates: slots filled, dressed with leads and tails, roughened, never written twice."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pipelines.sources.perception.grammar.dice import Dice
from pipelines.sources.perception.grammar.vocabulary import Templates
from pipelines.sources.perception.grammar.voice import Voice

_PLACEHOLDER = re.compile(r"\{(\w+)\}|\[([^/\]]+)/([^\]]+)\]")
_TIMED = re.compile(r"\{(when|since|weekday|clock|month|meal|few)\}|today|aaj")
_NOT_WORDS = re.compile(r"[^a-z0-9]+")
_WORD = re.compile(r"\S*\w\S*")
_TRIES = 80
_FRESH_TRIES = 20
_LOUD = {-1: 0.02, 0: 0.10, 1: 0.60}
_EMOJI = {-1: "😔😢😞😣💔😩", 0: "🤔🙂😐🍵", 1: "😊😄🎉💛✨🙏"}
_SARCASTIC_EMOJI = "🙃🙄👏😏"


@dataclass(frozen=True)
class Clause:
    """What one sentence has to say: templates to choose from, slots given, and the affect (-1 to 1) meant.

    A null `tone` marks a sentence that does not evaluate, a null `arousal` one neither calm nor excited.
    `timed` sentences may get a time before them; `plain` ones get nothing around them, seldom a shout.
    """

    templates: Templates
    tone: float | None = None
    arousal: float | None = None
    given: Mapping[str, Templates] = field(default_factory=dict)
    sarcastic: bool = False
    profane: bool = False
    timed: bool = False
    plain: bool = False


class Sentence(NamedTuple):
    """A finished sentence, the template it came from, and whether it ends in an exclamation mark."""

    text: str
    template: str
    loud: bool


def count_words(text: str) -> int:
    """Whitespace-separated tokens that hold a letter or a digit (an emoji alone is no word)."""
    return len(_WORD.findall(text))


def sentence_key(sentence: str) -> str:
    """A sentence without case, punctuation and emoji: two sentences are the same where their keys are."""
    return _NOT_WORDS.sub(" ", sentence.lower()).strip()


def expand(template: str, voice: Voice, dice: Dice, given: Mapping[str, Templates]) -> str:
    """The template with every `{slot}` filled (from `given`, else the voice) and every `[he/she]` resolved.

    Raises KeyError for a slot that neither knows.
    """

    def fill(match: re.Match[str]) -> str:
        slot, he, she = match.groups()
        if slot is None:
            return str((he, she)[voice.gender])
        return expand(dice.pick(given.get(slot) or voice.slots[slot]), voice, dice, given)

    return _PLACEHOLDER.sub(fill, template)


class Writer:
    """Writes sentences and remembers them, so that neither a clause nor a sentence is ever written again."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self._written: set[str] = set()

    def sentence(self, clause: Clause, voice: Voice, arousal: int, used: Container[str], opening: bool) -> Sentence:
        """A finished sentence, capitalised and ended, from a template not in `used` where one is left.

        An `opening` sentence has no connector before it. Raises RuntimeError after eighty tries without one.
        """
        template, core = self._new_core(clause, voice, used)
        dressed = self._dressed(self._typo(core, voice.typo_rate), template, clause, voice, opening)
        self._written.add(sentence_key(dressed))
        loud = self.dice.chance(_LOUD[-1 if clause.plain else arousal])
        cased = dressed.lower() if voice.lowercase else dressed[0].upper() + dressed[1:]
        end = "!" if loud else self.dice.pick((".",) * 15 + ("...",))
        return Sentence(cased + end + self._emoji(clause, voice), template, loud)

    def _new_core(self, clause: Clause, voice: Voice, used: Container[str]) -> tuple[str, str]:
        fresh = tuple(template for template in clause.templates if template not in used) or clause.templates
        for attempt in range(_TRIES):
            template = self.dice.pick(fresh if attempt < _FRESH_TRIES else clause.templates)
            core = " ".join(expand(template, voice, self.dice, clause.given).split())
            key = sentence_key(core)
            if key not in self._written:
                self._written.add(key)
                return template, core
        raise RuntimeError(
            f"perception, simulate: the grammar has nothing new left to say with {clause.templates[:2]}; "
            "simulate fewer reflections, or add templates or slot values to the vocabulary"
        )

    def _dressed(self, body: str, template: str, clause: Clause, voice: Voice, opening: bool) -> str:
        lead = "" if opening or clause.plain else self._lead(clause, template, voice)
        before, after = self._irony(voice) if clause.sarcastic else ([], self._aside(clause, voice))
        oath = [self._say(voice.vocabulary.profane_leads, voice)] if clause.profane else []
        return ", ".join([*oath, *before, f"{lead} {body}".strip(), *after])

    def _lead(self, clause: Clause, template: str, voice: Voice) -> str:
        roll = self.dice.uniform()
        if roll < 0.25:
            return self._say(voice.vocabulary.leads, voice)
        timed = clause.timed and not _TIMED.search(template)
        return self._say(voice.vocabulary.time_leads, voice) if timed and roll < 0.5 else ""

    def _irony(self, voice: Voice) -> tuple[list[str], list[str]]:
        words = voice.vocabulary
        before = self.dice.chance(0.7)
        after = not before or self.dice.chance(0.5)
        return (
            [self._say(words.sarcastic_leads, voice)] if before else [],
            [self._say(words.sarcastic_tails, voice)] if after else [],
        )

    def _aside(self, clause: Clause, voice: Voice) -> list[str]:
        said = not clause.plain and self.dice.chance(0.12)
        return [self._say(voice.vocabulary.asides, voice)] if said else []

    def _say(self, options: Templates, voice: Voice) -> str:
        return expand(self.dice.pick(options), voice, self.dice, {})

    def _typo(self, text: str, rate: float) -> str:
        if not self.dice.chance(rate):
            return text
        words = text.split()
        place = int(self.dice.uniform() * len(words))
        words[place] = _misspelt(words[place], self.dice)
        return " ".join(words)

    def _emoji(self, clause: Clause, voice: Voice) -> str:
        if clause.plain or not self.dice.chance(voice.emoji_rate):
            return ""
        tone = clause.tone or 0.0
        options = _SARCASTIC_EMOJI if clause.sarcastic else _EMOJI[(tone > 0.2) - (tone < -0.2)]
        return " " + self.dice.pick(options)


def _misspelt(word: str, dice: Dice) -> str:
    if len(word) < 5 or not word.isalpha():
        return word
    at = 1 + int(dice.uniform() * (len(word) - 3))
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return dice.pick((swapped, word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]))
