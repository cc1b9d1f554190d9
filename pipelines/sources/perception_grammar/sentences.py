"""Sentences from templates: slots filled, dressed with leads and tails, roughened, and never written twice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.sources.perception_grammar.dice import Dice
from pipelines.sources.perception_grammar.vocabulary import Templates
from pipelines.sources.perception_grammar.voice import Voice

_PLACEHOLDER = re.compile(r"\{(\w+)\}|\[([^/\]]+)/([^\]]+)\]")
_TIMED = re.compile(r"\{(when|since|weekday|clock|month|meal|ahead)\}|today|aaj")
_NOT_WORDS = re.compile(r"[^a-z0-9]+")
_WORD = re.compile(r"\S*\w\S*")
_TRIES = 60
_EXCLAIM = {-1: 0.02, 0: 0.08, 1: 0.45}
_EMOJI = {-1: "😔😢😞😣💔😩", 0: "🤔🙂😐🍵", 1: "😊😄🎉💛✨🙏"}
_SARCASTIC_EMOJI = "🙃🙄👏😏"


@dataclass(frozen=True)
class Clause:
    """What one sentence has to say: templates to choose from, slots given, and the tone (-1 to 1) meant by it.

    A null tone marks a sentence without an evaluation.
    """

    templates: Templates
    tone: float | None = None
    given: Mapping[str, Templates] = field(default_factory=dict)
    sarcastic: bool = False
    profane: bool = False
    plain: bool = False


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
            return (he, she)[voice.gender]
        return expand(dice.pick(given.get(slot) or voice.slots[slot]), voice, dice, given)

    return _PLACEHOLDER.sub(fill, template)


class Writer:
    """Writes sentences and remembers them, so that neither a clause nor a sentence is ever written again."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self._written: set[str] = set()

    def sentence(self, clause: Clause, voice: Voice, arousal: int, opening: bool) -> str:
        """A finished sentence, capitalised and ended; `opening` has no connector before it.

        Raises RuntimeError where sixty tries gave only sentences that had been written before.
        """
        template, core = self._new_core(clause, voice)
        body = self._typo(core, voice.typo_rate)
        dressed = self._dressed(body, template, clause, voice, opening)
        self._written.add(sentence_key(dressed))
        return self._finished(dressed, clause, voice, arousal)

    def _new_core(self, clause: Clause, voice: Voice) -> tuple[str, str]:
        for _ in range(_TRIES):
            template = self.dice.pick(clause.templates)
            core = " ".join(expand(template, voice, self.dice, clause.given).split())
            key = sentence_key(core)
            if key not in self._written:
                self._written.add(key)
                return template, core
        raise RuntimeError(f"the grammar has no new sentence left for the templates {clause.templates[:3]}")

    def _dressed(self, body: str, template: str, clause: Clause, voice: Voice, opening: bool) -> str:
        lead = "" if opening or clause.plain else self._lead(template, voice)
        before, after = self._irony(voice) if clause.sarcastic else ([], self._aside(clause, voice))
        oath = [self._say(voice.vocabulary.profane_leads, voice)] if clause.profane else []
        return ", ".join([*oath, *before, f"{lead} {body}".strip(), *after])

    def _lead(self, template: str, voice: Voice) -> str:
        vocabulary, roll = voice.vocabulary, self.dice.uniform()
        if roll < 0.25:
            return self._say(vocabulary.leads, voice)
        return self._say(vocabulary.time_leads, voice) if roll < 0.45 and not _TIMED.search(template) else ""

    def _irony(self, voice: Voice) -> tuple[list[str], list[str]]:
        before = self.dice.chance(0.7)
        after = not before or self.dice.chance(0.5)
        words = voice.vocabulary
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

    def _finished(self, text: str, clause: Clause, voice: Voice, arousal: int) -> str:
        text = text.lower() if voice.lowercase else text[0].upper() + text[1:]
        end = "!" if self.dice.chance(_EXCLAIM[arousal]) else self.dice.pick((".",) * 15 + ("...",))
        return text + end + self._emoji(clause, voice)

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
