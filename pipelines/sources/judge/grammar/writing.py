"""Write prompts, and responses that keep to their topic and show a metric's aspect as far as is asked of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from pipelines.sources.judge.grammar.metrics import METRICS, Metric
from pipelines.sources.judge.grammar.topics import TOPICS, Topic
from pipelines.sources.judge.grammar.wording import WORDING

LANGUAGE_SHARES = {"en": 79, "hi-Latn": 7, "de": 7, "es": 7}
SENTENCES, LONG_SENTENCES = (2, 3), 42
LONG_ONE_IN = 200
WISH = 0.25
DRAWS = 20
WHEN = 0.4
"""How often a sentence says when, or for whom, it holds."""
ASKED_FIRST = 0.7
"""How often a sentence that keeps to the topic speaks of a term that the prompt names."""
Frame = tuple[str, Topic, str, str]
"""A language, a topic, an opening and a question: two prompts that share all four would be nearly the same text."""


@dataclass(frozen=True)
class Prompt:
    """A user's question about a topic, which names the terms ``asked``, and the system prompt above it (None: there is none)."""

    language: str
    topic: Topic
    system: str | None
    text: str
    asked: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What a response shall be: ``on_topic`` the share, 0 to 1, of its content that keeps to the prompt's topic.

    The rest is of another topic, or ``filler``; ``evasive`` is such sentences and nothing else. ``aspects``: per metric
    whether its aspect is shown, absent (another family's stands there) or violated.
    """

    on_topic: float
    aspects: Sequence[tuple[Metric, str]]
    filler: bool = False
    evasive: bool = False


@dataclass(frozen=True)
class Response:
    """A text, and the share, 0 to 1, of its content that really keeps to the prompt's topic."""

    text: str
    on_topic: float


def write_prompt(used: set[Frame], dice: Random) -> Prompt:
    """A prompt in a language drawn by ``LANGUAGE_SHARES``: an opening, a question and, one time in four, a wish.

    Its topic, opening and question are together none of those ``used``, if any of a few draws is; they are added there.
    """
    frame = next((found for found in (_frame(dice) for _ in range(DRAWS)) if found not in used), None) or _frame(dice)
    used.add(frame)
    language, topic, *patterns = frame
    wording = WORDING[language]
    a, b, c = dice.sample(topic.terms, 3)
    patterns += [dice.choice(wording.wishes)] if dice.random() < WISH else []
    text = " ".join(_sentence(pattern, topic=topic.name, a=a, b=b, c=c) for pattern in patterns)
    return Prompt(language, topic, dice.choice(wording.system), text, (a, b))


def _frame(dice: Random) -> Frame:
    language = dice.choices(list(LANGUAGE_SHARES), list(LANGUAGE_SHARES.values()))[0]
    wording = WORDING[language]
    return language, dice.choice(TOPICS[language]), dice.choice(wording.openings), dice.choice(wording.questions)


def write_response(prompt: Prompt, plan: Plan, dice: Random) -> Response:
    """A response by plan: some 20 to 60 words, of one in ``LONG_ONE_IN`` over 400."""
    count = LONG_SENTENCES if dice.random() < 1 / LONG_ONE_IN else dice.randint(*SENTENCES)
    if plan.evasive:
        return Response(" ".join(_filler(prompt.language, dice) for _ in range(count + 1)), 0.0)
    strange = round((1 - plan.on_topic) * 2 * count)
    sentences = _content(prompt, _strange_per_sentence(strange, count, dice), plan.filler, dice)
    for metric, stand in plan.aspects:
        sentences.insert(dice.randint(0, len(sentences)), _aspect(prompt.language, metric, stand, dice))
    return Response(" ".join(sentences), 1 - strange / (2 * count))


def _strange_per_sentence(strange: int, count: int, dice: Random) -> list[int]:
    """How many of the two things that each sentence speaks of are strange to the topic: whole sentences, and perhaps a half."""
    numbers = [2] * (strange // 2) + [1] * (strange % 2)
    numbers += [0] * (count - len(numbers))
    dice.shuffle(numbers)
    return numbers


def _content(prompt: Prompt, strange: list[int], filler: bool, dice: Random) -> list[str]:
    wording = WORDING[prompt.language]
    other = dice.choice([topic for topic in TOPICS[prompt.language] if topic != prompt.topic])
    patterns = [pattern for _ in range(1 + len(strange) // len(wording.content)) for pattern in _mixed(wording.content, dice)]
    written = []
    for number, pattern in zip(strange, patterns):
        terms = [*dice.sample(other.terms, number), *_terms(prompt, 2 - number, dice)]
        dice.shuffle(terms)
        when = dice.choice(wording.when) if dice.random() < WHEN else ""
        sentence = _sentence(pattern, a=terms[0], b=terms[1], when=when)
        written.append(_filler(prompt.language, dice) if filler and number == 2 else sentence)
    heading = prompt.topic if sum(strange) <= len(strange) or filler else other
    return [f"{heading.name[0].upper()}{heading.name[1:]}: {written[0]}", *written[1:]]


def _terms(prompt: Prompt, number: int, dice: Random) -> list[str]:
    """Terms of the prompt's topic, one of those asked for first as often as ``ASKED_FIRST`` says."""
    asked = dice.sample(prompt.asked, 1) if number and dice.random() < ASKED_FIRST else []
    rest = [term for term in prompt.topic.terms if term not in asked]
    return [*asked, *dice.sample(rest, number - len(asked))]


def _mixed(patterns: Sequence[str], dice: Random) -> list[str]:
    return dice.sample(patterns, len(patterns))


def _aspect(language: str, metric: Metric, stand: str, dice: Random) -> str:
    wording = WORDING[language]
    if stand == "absent":
        metric = dice.choice([other for other in METRICS if other.family != metric.family])
    patterns = wording.violated if stand == "violated" else wording.shown
    return _sentence(dice.choice(patterns), aspect=f"{metric.called[language]} ({metric.family})")


def _filler(language: str, dice: Random) -> str:
    wording = WORDING[language]
    return f"{dice.choice(wording.filler_start)} {dice.choice(wording.filler_end)}"


def _sentence(pattern: str, **gaps: str) -> str:
    text = re.sub(r"\s+([.,])", r"\1", re.sub(r"\s+", " ", pattern.format(**gaps))).strip(" ,")
    return text[0].upper() + text[1:]
