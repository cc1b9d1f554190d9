"""Feast's own verbs: push, write_to_online_store, materialize, and declarations that come, change and go."""

from __future__ import annotations

from datetime import timedelta

from feast.types import Float64, Int64, String

from tests.stores.online.case import MONDAY, Case, after, drivers, row
from tests.stores.online.steps import Apply, Ask, Elsewhere, File, Forget, Materialize, Teardown, Within, Write, WriteFrame
from tests.stores.online.views import View

NOON, EVENING = after(hours=3), after(hours=9)
HISTORY = [row(1, at=MONDAY, a=1.0), row(1, at=NOON, a=2.0), row(2, at=MONDAY, a=10.0), row(2, at=EVENING, a=20.0)]
AB = View(features={"a": Float64, "b": Float64})
BOTH = ["trips:a", "trips:b"]
MANY = 5_000

WRITING = (
    Case(
        "push",
        "A push source's rows are served at once",
        Apply([View(push=True)]),
        WriteFrame("trips", [row(1, a=1.0)], push=True),
        WriteFrame("trips", [row(1, at=NOON, a=2.0), row(2, a=3.0)], push=True),
        Ask(drivers(1, 2), {"a": [2.0, 3.0]}),
    ),
    Case(
        "late-push",
        "A push that arrives late does not undo a newer one",
        Apply([View(push=True)]),
        WriteFrame("trips", [row(1, at=NOON, created=NOON, a=2.0)], push=True),
        WriteFrame("trips", [row(1, at=MONDAY, created=EVENING, a=1.0)], push=True),
        Ask(drivers(1), {"a": [2.0]}),
    ),
    Case(
        "write-to-online-store",
        "write_to_online_store writes a data frame",
        Apply([View()]),
        WriteFrame("trips", [row(1, at=NOON, created=NOON, a=2.0), row(2, created=NOON, a=3.0)]),
        Ask(drivers(1, 2), {"a": [2.0, 3.0]}, at={"a": [NOON, MONDAY]}),
    ),
    Case(
        "created-missing-in-a-frame",
        "A data frame may lack a created time here and there (NaT)",
        Apply([View()]),
        WriteFrame("trips", [row(1, created=None, a=1.0), row(2, created=NOON, a=2.0)], gaps=True),
        Ask(drivers(1, 2), {"a": [1.0, 2.0]}),
    ),
    Case(
        "created-missing-in-a-file",
        "A source may lack a created time here and there (null)",
        Apply([View()]),
        File("trips", [row(1, created=None, a=1.0), row(2, created=NOON, a=2.0)], gaps=True),
        Materialize(["trips"]),
        Ask(drivers(1, 2), {"a": [1.0, 2.0]}),
    ),
    Case(
        "materialize",
        "materialize serves each entity's newest row up to the end",
        Apply([View()]),
        File("trips", HISTORY),
        Materialize(["trips"], until=NOON),
        Ask(drivers(1, 2, 3), {"a": [2.0, 10.0, None]}, at={"a": [NOON, MONDAY, None]}),
    ),
    Case(
        "materialize-ties",
        "Of rows with one event materialize serves the one created last",
        Apply([View()]),
        File("trips", [row(1, created=EVENING, a=2.0), row(1, created=NOON, a=1.0)]),
        Materialize(["trips"]),
        Ask(drivers(1), {"a": [2.0]}),
    ),
    Case(
        "materialize-twice",
        "Materialising twice is materialising once",
        Apply([View()]),
        File("trips", HISTORY),
        Materialize(["trips"], until=EVENING),
        Materialize(["trips"], until=EVENING),
        Ask(drivers(1, 2), {"a": [2.0, 20.0]}, at={"a": [NOON, EVENING]}),
    ),
    Case(
        "materialize-the-past",
        "Materialising an earlier window afterwards does not undo a later one",
        Apply([View()]),
        File("trips", HISTORY),
        Materialize(["trips"], until=EVENING),
        Materialize(["trips"], until=MONDAY),
        Ask(drivers(1, 2), {"a": [2.0, 20.0]}),
    ),
    Case(
        "materialize-over-a-push",
        "What was pushed and is newer survives a materialisation",
        Apply([View(push=True)]),
        WriteFrame("trips", [row(1, at=EVENING, created=EVENING, a=9.0)], push=True),
        File("trips", HISTORY),
        Materialize(["trips"], until=NOON),
        Ask(drivers(1, 2), {"a": [9.0, 10.0]}),
    ),
    Case(
        "materialize-incremental",
        "materialize_incremental adds what came since, and leaves the rest",
        Apply([View(ttl=timedelta(days=36_500))]),
        File("trips", HISTORY),
        Materialize(["trips"], until=NOON, incremental=True),
        Ask(drivers(1, 2), {"a": [2.0, 10.0]}),
        Materialize(["trips"], until=EVENING, incremental=True),
        Ask(drivers(1, 2), {"a": [2.0, 20.0]}),
    ),
    Case(
        "materialize-many-chunks",
        "A source in many row groups loses no row on the way",
        Apply([View()]),
        File("trips", [row(key, a=float(key)) for key in range(MANY)], group=500),
        Materialize(["trips"]),
        Ask(drivers(*range(MANY)), {"a": [float(key) for key in range(MANY)]}),
    ),
    Case(
        "materialize-renamed-columns",
        "A source's field mapping is followed",
        Apply([View(renamed={"amount": "a"})]),
        File("trips", HISTORY),
        Materialize(["trips"], until=NOON),
        Ask(drivers(1, 2), {"a": [2.0, 10.0]}),
    ),
    Case(
        "materialize-two-views",
        "Two views materialised at once are both served",
        Apply([View(), View("cars", features={"b": Int64})]),
        File("trips", HISTORY),
        File("cars", [row(1, b=7)]),
        Materialize(["trips", "cars"], until=EVENING),
        Ask(drivers(1, 2), {"a": [2.0, 20.0], "b": [7, None]}, features=["trips:a", "cars:b"]),
    ),
)

DECLARING = (
    Case(
        "applied-again",
        "Applying the same declarations again keeps what is stored",
        Apply([View()]),
        Write("trips", [row(1, a=1.0)]),
        Apply([View()]),
        Ask(drivers(1), {"a": [1.0]}),
    ),
    Case(
        "feature-added",
        "An added feature is null for what was written before it, and served for what is written after",
        Apply([View()]),
        Write("trips", [row(1, a=1.0), row(2, a=2.0)]),
        Apply([AB]),
        Ask(drivers(1, 2), {"a": [1.0, 2.0], "b": [None, None]}, features=BOTH),
        Write("trips", [row(2, at=NOON, a=3.0, b=4.0)]),
        Ask(drivers(1, 2), {"a": [1.0, 3.0], "b": [None, 4.0]}, features=BOTH),
    ),
    Case(
        "feature-removed",
        "When a feature is removed the others stay",
        Apply([AB]),
        Write("trips", [row(1, a=1.0, b=2.0)]),
        Apply([View(features={"b": Float64})]),
        Ask(drivers(1), {"b": [2.0]}, features=["trips:b"]),
    ),
    Case(
        "features-in-another-order",
        "Declaring the features in another order does not mix up their values",
        Apply([AB]),
        Write("trips", [row(1, a=1.0, b=2.0)]),
        Apply([View(features={"b": Float64, "a": Float64})]),
        Write("trips", [row(2, a=10.0, b=20.0)]),
        Ask(drivers(1, 2), {"a": [1.0, 10.0], "b": [2.0, 20.0]}, features=BOTH),
    ),
    Case(
        "feature-of-another-type",
        "After a feature changed its type, what is written anew is served in the new type",
        Apply([View(features={"a": Int64, "b": Float64})]),
        Write("trips", [row(1, a=1, b=2.0)]),
        Apply([View(features={"a": String, "b": Float64})]),
        Write("trips", [row(1, at=NOON, a="one", b=3.0)]),
        Ask(drivers(1), {"a": ["one"], "b": [3.0]}, features=BOTH),
    ),
    Case(
        "view-taken-out",
        "Taking out one view leaves the others, and applied again it is empty",
        Apply([View(), View("cars", features={"b": Float64})]),
        Write("trips", [row(1, a=1.0)]),
        Write("cars", [row(1, b=2.0)]),
        Forget("cars"),
        Ask(drivers(1), {"a": [1.0]}),
        Apply([View("cars", features={"b": Float64})]),
        Ask(drivers(1), {"b": [None]}, features=["cars:b"]),
    ),
    Case(
        "teardown",
        "After a teardown nothing is left, and the project can be applied again",
        Apply([View()]),
        Write("trips", [row(1, a=1.0)]),
        Teardown(),
        Apply([View()]),
        Ask(drivers(1, 2), {"a": [None, None]}),
        Write("trips", [row(2, a=2.0)]),
        Ask(drivers(1, 2), {"a": [None, 2.0]}),
    ),
    Case(
        "two-projects",
        "Two projects with the same views and keys in one store do not see each other",
        Apply([View()]),
        Within("{}_other", [Apply([View()]), Write("trips", [row(1, a=2.0)])]),
        Write("trips", [row(1, a=1.0)]),
        Ask(drivers(1), {"a": [1.0]}),
        Within("{}_other", [Ask(drivers(1), {"a": [2.0]})]),
    ),
    Case(
        "projects-and-views-do-not-run-together",
        "View b_c of project a and view c of project a_b are two views",
        Within("{}_a", [Apply([View("b_c")]), Write("b_c", [row(1, a=1.0)])]),
        Within("{}_a_b", [Apply([View("c")]), Write("c", [row(1, at=NOON, a=2.0)])]),
        Within("{}_a", [Ask(drivers(1), {"a": [1.0]}, features=["b_c:a"])]),
        Within("{}_a_b", [Ask(drivers(1), {"a": [2.0]}, features=["c:a"])]),
    ),
    Case(
        "teardown-leaves-other-projects",
        "Tearing a project down leaves another one, even one whose name ends alike",
        Apply([View()]),
        Write("trips", [row(1, a=1.0)]),
        Within("coffee{}", [Apply([View()]), Write("trips", [row(1, a=2.0)])]),
        Teardown(),
        Within("coffee{}", [Elsewhere([Ask(drivers(1), {"a": [2.0]})])]),
    ),
)

CASES = (*WRITING, *DECLARING)
