"""Reads a page of the report as a browser would, with the standard library alone."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "br"}
_INLINE = {"b", "code", "mark", "span"}


@dataclass
class Node:
    """An element: its tag, its attributes, and what is in it: elements and text."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    content: list["Node | str"] = field(default_factory=list)

    @property
    def children(self) -> list["Node"]:
        """The elements directly below."""
        return [part for part in self.content if isinstance(part, Node)]

    def all(self, tag: str | None = None) -> list["Node"]:
        """All elements below, in the order of the page; those with a tag, where one is given."""
        found = []
        for child in self.children:
            found += [child] if tag in (None, child.tag) else []
            found += child.all(tag)
        return found

    def by_id(self, identifier: str) -> "Node":
        """The one element with an identifier."""
        (found,) = (node for node in self.all() if node.attributes.get("id") == identifier)
        return found

    @property
    def text(self) -> str:
        """All text below; words of different cells and blocks are apart."""
        return " ".join(self._raw().split())

    def _raw(self) -> str:
        inside = "".join(part if isinstance(part, str) else part._raw() for part in self.content)
        return inside if self.tag in _INLINE else f" {inside} "


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Node("document")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        assert len(attrs) == len(node.attributes), f"<{tag}> has an attribute twice"
        self.open[-1].content.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].content.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].content.append(data)


def read(page: str) -> Node:
    """Reads a page; every element has to be closed, and in the right order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert [node.tag for node in reader.open] == ["document"], f"<{reader.open[-1].tag}> is never closed"
    return reader.open[0]
