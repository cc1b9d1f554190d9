"""A page as a test reads it: its elements in order, with their text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr"}


@dataclass
class Element:
    """An element with what stands in it."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, words apart by one blank."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> list[str]:
        return [text for child in self.children for text in ([child] if isinstance(child, str) else [" ", *child._texts()])]

    def all(self, tag: str = "", **equal: str) -> list[Element]:
        """Elements below it, in order; ``equal`` are attributes, ``class_`` one of its classes."""
        below = [found for child in self.children if isinstance(child, Element) for found in (child, *child.all())]
        wanted = equal.pop("class_", "")
        return [
            found
            for found in below
            if (not tag or found.tag == tag)
            and (not wanted or wanted in found.attributes.get("class", "").split())
            and all(found.attributes.get(name) == value for name, value in equal.items())
        ]

    def table(self) -> list[dict[str, str]]:
        """The rows of a table by the names of its columns."""
        head, *rows = ([cell.text for cell in row.children if isinstance(cell, Element)] for row in self.all("tr"))
        return [dict(zip(head, row, strict=True)) for row in rows]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("page", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, "every element is closed in its turn"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(page: str) -> Element:
    """The page as a tree; fails where an element is not closed."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.open) == 1, "every element is closed"
    return reader.open[0]
