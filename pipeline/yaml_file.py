"""YAML as configurations have it: plain data of a bounded size, whose texts are texts."""

import re
from typing import Any

import yaml

_MOST_NODES = 100_000
_BOOL = "tag:yaml.org,2002:bool"


def load_yaml(text: str) -> Any:
    """The data that a YAML text stands for.

    Raises:
      yaml.YAMLError: it is no YAML; its aliases stand for too much, or for themselves; a text in it is no Unicode.
    """
    return yaml.load(text, Loader=_BoundedLoader)


class _BoundedLoader(yaml.SafeLoader):
    # Truth values are those of YAML 1.2: `off` is a text, as it is among the choices of some keys. Where one asks for a
    # truth value, pydantic takes it for one.
    yaml_implicit_resolvers = {  # noqa: RUF012 as the class above has it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_document(self) -> yaml.Node | None:
        node = super().compose_document()
        if node is not None and _count(node, {}) > _MOST_NODES:
            raise yaml.MarkedYAMLError(problem="its aliases stand for too much", problem_mark=node.start_mark)
        return node


_BoundedLoader.add_implicit_resolver(_BOOL, re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def _count(node: yaml.Node, counted: dict[int, int]) -> int:
    """The nodes that one stands for, aliases written out; one that contains itself stands for too many."""
    if id(node) in counted:
        return counted[id(node)]
    counted[id(node)] = _MOST_NODES + 1
    counted[id(node)] = 1 + sum(_count(part, counted) for part in _parts(node))
    return counted[id(node)]


def _parts(node: yaml.Node) -> list[yaml.Node]:
    match node:
        case yaml.ScalarNode(value=text):
            _check_text(node, text)
            return []
        case yaml.MappingNode(value=pairs):
            return [part for pair in pairs for part in pair]
        case _:
            return list(node.value)


def _check_text(node: yaml.Node, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise yaml.MarkedYAMLError(problem="a text is no valid Unicode", problem_mark=node.start_mark) from None
