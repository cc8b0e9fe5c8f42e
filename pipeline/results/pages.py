"""What a console shows as a page: the verdict in Markdown, and the report."""

import math
import posixpath

from components.artifacts import evaluation, storage
from components.artifacts.evaluation import Evaluation, State, Way

_MARKS = {State.PASSED: "passed", State.FAILED: "**failed**", State.SKIPPED: "skipped"}
_RANKINGS: dict[Way, str] = {"sampled": "sampled test records", "full": "all items"}


def report(uri: str) -> bytes:
    """The report of the evaluation at `uri`: HTML that needs nothing beside it."""
    with storage.open_file(posixpath.join(uri, evaluation.REPORT_FILE)) as file:
        return file.read()


def verdict(uri: str) -> bytes:
    """What the gate made of the evaluation at `uri`, as Markdown."""
    found = evaluation.read(uri)
    title = "blessed" if found.blessed else f"not blessed: {'; '.join(map(_text, found.reasons))}"
    rules = [[_text(rule.rule), _MARKS[rule.state], _text(rule.detail)] for rule in found.rules]
    parts = [f"# {title}", *(_systems(found, way) for way in found.ways), _table(["rule", "", ""], rules)]
    return ("\n\n".join(parts) + "\n").encode()


def _systems(found: Evaluation, way: Way) -> str:
    rows = [
        [_text(system.title), *(_number(system.of(way)[name]) for name in found.gate_metrics)]
        for system in found.systems.values()
    ]
    return _table([_RANKINGS[way], *found.gate_metrics], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *rows])


def _text(text: str) -> str:
    """A text that Markdown takes as it is: names of users' files and items are in it."""
    return " ".join(text.split()).translate({ord(letter): f"\\{letter}" for letter in r"\|*_`<[#"})


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "–"
