"""Similarity search: the nearest texts by their vectors, through retrieve_online_documents_v2."""

from __future__ import annotations

from feast.filter_models import ComparisonFilter, CompoundFilter
from feast.types import Array, Float32, Int64, String

from tests.stores.online.case import Case, after, row
from tests.stores.online.steps import Apply, Search, Write
from tests.stores.online.views import View

TEXTS = Apply([View("texts", features={"vector": Array(Float32), "title": String, "year": Int64}, vector="vector")])
FOUR = Write(
    "texts",
    [
        row(1, vector=[1.0, 0.0], title="east", year=2001),
        row(2, vector=[0.0, 1.0], title="north", year=2002),
        row(3, vector=[2.0, 2.0], title="far", year=2003),
        row(4, vector=[-1.0, 0.0], title="west", year=2004),
    ],
)
EAST = [1.0, 0.125]


def _where(kind: str, key: str, value: object) -> ComparisonFilter:
    return ComparisonFilter(type=kind, key=key, value=value)  # type: ignore[arg-type]


CASES = (
    Case("search-nearest-first", "The nearest come first", TEXTS, FOUR, Search(EAST, 4, [1, 2, 4, 3])),
    Case("search-top-k", "No more than top_k, and those the nearest", TEXTS, FOUR, Search(EAST, 2, [1, 2])),
    Case(
        "search-more-than-there-are", "A top_k beyond the number of rows answers all", TEXTS, FOUR, Search(EAST, 9, [1, 2, 4, 3])
    ),
    Case(
        "search-rows-are-whole",
        "Each answer's features are those of its key, also where the nearest has not the smallest key",
        TEXTS,
        FOUR,
        Search([2.0, 1.9], 2, [3, 1], {"title": ["far", "east"], "year": [2003, 2001]}),
    ),
    Case(
        "search-distances",
        "The distance is told, by L2 the Euclidean one",
        TEXTS,
        Write("texts", [row(1, vector=[0.0, 1.0], title="a", year=1), row(2, vector=[3.0, 4.0], title="b", year=2)]),
        Search([0.0, 0.0], 2, [1, 2], {"distance": [1.0, 5.0]}),
    ),
    Case("search-cosine", "By cosine the length does not matter", TEXTS, FOUR, Search(EAST, 4, [1, 3, 2, 4], metric="cosine")),
    Case(
        "search-inner-product",
        "By inner product the largest comes first",
        TEXTS,
        FOUR,
        Search(EAST, 4, [3, 1, 2, 4], metric="inner_product"),
    ),
    Case(
        "search-filter-equal",
        "A filter on a feature is applied before top_k is counted",
        TEXTS,
        FOUR,
        Search(EAST, 1, [3], filters=_where("eq", "title", "far")),
    ),
    Case(
        "search-filter-number",
        "A filter compares numbers as numbers",
        TEXTS,
        FOUR,
        Search(EAST, 4, [2, 4, 3], filters=_where("gte", "year", 2002)),
    ),
    Case(
        "search-filter-compound",
        "Filters are joined by and and or",
        TEXTS,
        FOUR,
        Search(
            EAST,
            4,
            [1, 4],
            filters=CompoundFilter(
                type="and",
                filters=[
                    _where("lt", "year", 2010),
                    CompoundFilter(type="or", filters=[_where("eq", "title", "east"), _where("in", "title", ["west", "none"])]),
                ],
            ),
        ),
    ),
    Case(
        "search-newest-vector",
        "A row is found by its newest vector, and by no older one",
        TEXTS,
        FOUR,
        Write("texts", [row(3, at=after(hours=1), vector=[1.0, 0.125], title="near", year=2005)]),
        Write("texts", [row(1, at=after(hours=-1), vector=[9.0, 9.0], title="old", year=1999)]),
        Search(EAST, 2, [3, 1], metric="L2"),
    ),
    Case(
        "search-null-vector",
        "A row without a vector is not found",
        TEXTS,
        FOUR,
        Write("texts", [row(1, at=after(hours=1), vector=None, title="none", year=2005)]),
        Search(EAST, 9, [2, 4, 3]),
    ),
    Case("search-empty", "A view without rows answers nothing", TEXTS, Search(EAST, 3, [])),
)
