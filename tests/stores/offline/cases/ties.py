"""Which of several rows with one event timestamp is joined."""

from __future__ import annotations

import random

from tests.stores.offline.calls import joins
from tests.stores.offline.case import view
from tests.stores.offline.layouts import files, row_groups
from tests.stores.offline.made import CREATED, frame, hour, hours, rows, stats

TRIPS = ["stats:trips"]
KEYS = 300
SHUFFLED = random.Random(6).sample(range(3 * KEYS), 3 * KEYS)

CASES = [
    joins(
        "tie-goes-to-newest-created",
        "Of two rows of one instant the one created last is joined, wherever it stands.",
        [view("stats", stats([20, 10], (0, 0), created=hours(2, 1)), created=CREATED)],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [20]},
    ),
    joins(
        "newer-event-before-newer-creation",
        "A newer event is joined though an older one was created later.",
        [view("stats", stats([10, 20, 30, 40], (0, 0, 0, 24), [1, 1, 2, 2], created=hours(0, 24, 24, 0)), created=CREATED)],
        frame([1, 2], hours(48, 48)),
        TRIPS,
        {"trips": [20, 40]},
        origin="test_universal_historical_retrieval.py::test_historical_features_containing_backfills",
    ),
    joins(
        "null-creation-is-oldest",
        "Among ties a row without a created timestamp loses to one that has any.",
        [view("stats", stats([10, 20], (0, 0), created=[hour(-9), None]), created=CREATED)],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [10]},
    ),
    joins(
        "full-tie-goes-to-last-row",
        "Of rows alike in both times the one that stands last in the file is joined.",
        [view("stats", stats([10, 20, 30], (0, 0, 0), created=hours(1, 1, 1)), created=CREATED)],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [30]},
    ),
    joins(
        "full-tie-without-creation",
        "So it is where the source has no created timestamp.",
        [view("stats", stats([30, 20, 10], (0, 0, 0)))],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [10]},
    ),
    joins(
        "full-tie-over-row-groups",
        "So it is where the rows stand in different row groups.",
        [view("stats", stats([30, 20, 10, 25], (0, 0, 0, 0)), layout=row_groups(1))],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [25]},
    ),
    joins(
        "full-tie-over-files",
        "So it is where the rows stand in different files, which are read in the order of their names.",
        [view("stats", stats([30, 20, 10, 25], (0, 0, 0, 0)), layout=files(2, 1, 1))],
        frame([1], hours(1)),
        TRIPS,
        {"trips": [25]},
    ),
    joins(
        "ties-of-many-keys",
        "Ties of 300 keys in shuffled order are decided each for itself.",
        [
            view(
                "stats",
                rows(
                    [number // 3 for number in SHUFFLED],
                    [hour(0)] * len(SHUFFLED),
                    created=[hour(number % 3) for number in SHUFFLED],
                    trips=SHUFFLED,
                ),
                created=CREATED,
            )
        ],
        frame(list(range(KEYS)), [hour(9)] * KEYS),
        TRIPS,
        {"trips": [3 * key + 2 for key in range(KEYS)]},
    ),
]
