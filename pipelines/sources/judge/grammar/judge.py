"""Prompts, their responses and what a judge made of them: the rows of a drop, for the scores that it shall have."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from pipelines.sources.judge.grammar.metrics import METRICS, Metric
from pipelines.sources.judge.grammar.scores import NOISE, WORTH, by_rank, meant_quality
from pipelines.sources.judge.grammar.timeline import asked, labelled
from pipelines.sources.judge.grammar.writing import Frame, Plan, Prompt, write_prompt, write_response

PROMPTS_PER_ROW, MOST_ROWS = 0.3, 6
JUDGED_BY = {"train": {1: 10, 2: 60, 3: 30}, "test": {1: 75, 2: 25}}
"""By how many metrics a response of a drop is judged, where its prompt has as many rows left: shares of 100."""
WAYS = {"topic": 0.45, "aspect": 0.35, "filler": 0.2}
"""How often what a response lacks is brought about by another topic, by the metric's aspect, by filler."""
EVASIVE_BELOW = 0.15
STREAMS = ("layout", "scores", "prompts", "plans", "responses", "judge", "times")
Row = dict[str, Any]


@dataclass
class Judge:
    """Writes drops below one another: prompts and responses are numbered on; a generator a purpose, so none shifts another."""

    dice: dict[str, Random]
    prompts: int = 0
    responses: int = 0
    used: set[Frame] = field(default_factory=set)

    def drop(self, name: str, scores: list[float]) -> list[Row]:
        """The rows of a drop, of which each has one of ``scores``, which come highest first."""
        targets = [meant_quality(score, self.dice["scores"]) for score in scores]
        self.dice["scores"].shuffle(targets)
        found: list[Row] = []
        for count in _rows_per_prompt(len(scores), self.dice["layout"]):
            found += self._prompt(name, targets[len(found) : len(found) + count])
        given = by_rank([row["impression"] for row in found], scores)
        return [{**row, "score": float(score)} for row, score in zip(found, given, strict=True)]

    def _prompt(self, drop: str, targets: list[float]) -> list[Row]:
        self.prompts += 1
        prompt = write_prompt(self.used, self.dice["prompts"])
        rows: list[Row] = []
        while len(rows) < len(targets):
            left = targets[len(rows) :]
            rows += self._response(prompt, left[: self._judged_by(drop)])
        instants = asked(drop, len(rows), self.dice["times"])
        times = [{"asked_at": instant, "labelled_at": labelled(instant, self.dice["times"])} for instant in instants]
        return [{**row, **time, "drop": drop} for row, time in zip(rows, times, strict=True)]

    def _judged_by(self, drop: str) -> int:
        shares = JUDGED_BY[drop]
        return self.dice["layout"].choices(list(shares), list(shares.values()))[0]

    def _response(self, prompt: Prompt, targets: list[float]) -> list[Row]:
        """A response's rows: one for each metric that it is judged by."""
        self.responses += 1
        plan = _planned(targets, self.dice["plans"])
        response = write_response(prompt, plan, self.dice["responses"])
        shared = {
            "prompt_id": f"p-{self.prompts:05d}",
            "response_id": f"r-{self.responses:05d}",
            "language": prompt.language,
            "system_prompt": prompt.system,
            "user_prompt": prompt.text,
            "response": response.text,
            "on_topic": response.on_topic,
        }
        return [{**shared, **self._judged(response.on_topic, metric, stand)} for metric, stand in plan.aspects]

    def _judged(self, on_topic: float, metric: Metric, stand: str) -> Row:
        return {
            "metric_id": metric.metric_id,
            "metric_name": metric.name,
            "metric_family": metric.family,
            "aspect": stand,
            "impression": on_topic * WORTH[stand] + self.dice["judge"].gauss(0, NOISE),
        }


def _planned(targets: list[float], dice: Random) -> Plan:
    """A plan by which the response is of the best of the qualities by its metric, and near the others, if any, by theirs."""
    best, metrics = max(targets), dice.sample(METRICS, len(targets))
    way = dice.choices(list(WAYS), list(WAYS.values()))[0]
    if way == "filler" and best < EVASIVE_BELOW:
        return Plan(0.0, [(metric, "absent") for metric in metrics], evasive=True)
    lacking = [stand for stand, worth in WORTH.items() if best <= worth < 1]
    stand = dice.choice(lacking) if way == "aspect" and lacking else "shown"
    on_topic = best / WORTH[stand]
    stands = [stand if target == best else _nearest(target, on_topic) for target in targets]
    return Plan(on_topic, list(zip(metrics, stands, strict=True)), filler=way == "filler")


def _nearest(target: float, on_topic: float) -> str:
    return min(WORTH, key=lambda stand: abs(on_topic * WORTH[stand] - target))


def _rows_per_prompt(count: int, dice: Random) -> list[int]:
    """How many rows each prompt has, 1 to ``MOST_ROWS``; ``count`` in all."""
    found = [1] * max(1, round(count * PROMPTS_PER_ROW))
    open_to = list(range(len(found)))
    for _ in range(count - len(found)):
        place = dice.randrange(len(open_to))
        found[open_to[place]] += 1
        if found[open_to[place]] == MOST_ROWS:
            open_to.pop(place)
    return found
