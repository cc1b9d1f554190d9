"""A case of the online suite: a name, one sentence, and steps with the expected answers in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tests.stores.online.player import Player

MONDAY = datetime(2024, 3, 4, 9, tzinfo=UTC)

Moment = datetime | timedelta
"""An instant; or, as a timedelta, so long before the step is played."""


class Step(Protocol):
    """Something done to a store, or asked of it; raises AssertionError where the answer is not the expected one."""

    def play(self, player: Player) -> None: ...


@dataclass(frozen=True)
class Case:
    """One behaviour of an online store, shown by steps that are played in order on an empty store."""

    name: str
    says: str
    steps: tuple[Step, ...]

    def __init__(self, name: str, says: str, *steps: Step) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "says", says)
        object.__setattr__(self, "steps", steps)


@dataclass(frozen=True)
class Row:
    """What is written of one entity: its join keys, its values by feature, its event, and when it was created, if known."""

    key: dict[str, Any]
    values: dict[str, Any]
    at: Moment = MONDAY
    created: Moment | None = None


def row(key: Any, at: Moment = MONDAY, created: Moment | None = None, **values: Any) -> Row:
    """A row; a key that is no dict of join keys is that of a driver."""
    return Row(key if isinstance(key, dict) else {"driver": key}, values, at, created)


def drivers(*keys: Any) -> list[dict[str, Any]]:
    """The entity rows of a request for these drivers."""
    return [{"driver": key} for key in keys]


def after(**parts: float) -> datetime:
    """So long after the Monday on which most cases play."""
    return MONDAY + timedelta(**parts)


def instant(moment: Moment) -> datetime:
    """The instant itself: of a timedelta, so long before now."""
    return moment if isinstance(moment, datetime) else datetime.now(UTC) - moment


def same(expected: Any, answered: Any) -> bool:
    """Equality that tells 1 from 1.0 and True, and takes a NaN for equal to a NaN."""
    if isinstance(expected, list) and isinstance(answered, list):
        return len(expected) == len(answered) and all(map(same, expected, answered))
    if isinstance(expected, dict) and isinstance(answered, dict):
        return expected.keys() == answered.keys() and all(same(expected[key], answered[key]) for key in expected)
    both_nan = expected != expected and answered != answered  # noqa: PLR0124
    return type(expected) is type(answered) and (both_nan or expected == answered)


def expect(what: str, expected: Any, answered: Any) -> None:
    """Raise AssertionError unless the answer is the expected one."""
    if not same(expected, answered):
        raise AssertionError(f"{what}: expected {_short(expected)}, got {_short(answered)}")


def _short(value: Any) -> str:
    told = repr(value)
    return told if len(told) <= 200 else f"{told[:200]}…"


def names(cases: Sequence[Case]) -> list[str]:
    return [case.name for case in cases]
