"""The voice of an author: gender, circle of people and places, and habits of casing, spelling and emoji."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.sources.perception.grammar.dice import Dice
from pipelines.sources.perception.grammar.english import ENGLISH
from pipelines.sources.perception.grammar.hinglish import HINGLISH
from pipelines.sources.perception.grammar.vocabulary import Templates, Vocabulary

VOCABULARIES: dict[str, Vocabulary] = {"en": ENGLISH, "hinglish": HINGLISH}
# How many values of a slot one author ever uses: people write about the same few names and places.
_CIRCLE = {"name": 8, "area": 4, "city": 6, "subject": 4, "activity": 6, "food": 9, "abuser": 2}


@dataclass(frozen=True)
class Voice:
    """How one author writes in one language; rates are probabilities per sentence."""

    vocabulary: Vocabulary
    slots: Mapping[str, Templates]
    gender: int
    lowercase: bool
    typo_rate: float
    emoji_rate: float


def author_voices(dice: Dice) -> dict[str, Voice]:
    """One author's voice in every language: the same circle and habits, other words."""
    gender = int(dice.chance(0.5))
    lowercase = dice.chance(0.25)
    typo_rate = 0.25 * dice.uniform() ** 3
    emoji_rate = 0.4 * dice.uniform() ** 3
    return {
        language: Voice(vocabulary, _circle(vocabulary, dice), gender, lowercase, typo_rate, emoji_rate)
        for language, vocabulary in VOCABULARIES.items()
    }


def _circle(vocabulary: Vocabulary, dice: Dice) -> dict[str, Templates]:
    own = {slot: dice.sample(vocabulary.slots[slot], count) for slot, count in _CIRCLE.items()}
    return dict(vocabulary.slots) | own
