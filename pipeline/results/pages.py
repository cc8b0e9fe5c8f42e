"""What a console shows as a page: the verdict in Markdown, and the report."""

import math
import posixpath
import re

from components.artifacts import evaluation, storage
from components.artifacts.evaluation import Evaluation, State, Way

_MARKS = {State.PASSED: "passed", State.FAILED: "**failed**", State.SKIPPED: "–"}
_RANKINGS: dict[Way, str] = {"sampled": "Sampled test records", "full": "All items"}
_GAP = "\N{FIGURE SPACE}"
"""Kubeflow's console sets the cells of a table side by side with nothing between them. No line is broken at it."""
_MARKUP = re.compile(r"[\\|*_`<\[#~=&]|:(?=//)")
_OWN_LINKS = (
    b'<script>if (location.protocol === "about:") '
    b'document.head.append(Object.assign(document.createElement("base"), {href: "about:srcdoc"}))</script>'
)
"""Kubeflow's console shows a page as the `srcdoc` of a frame, where a link to a part of it leads to the console."""


def report(uri: str) -> bytes:
    """The report of the evaluation at `uri`: HTML that needs nothing beside it, to be shown in a frame too."""
    with storage.open_file(posixpath.join(uri, evaluation.REPORT_FILE)) as file:
        # Before the report's own policy, which allows no script.
        return file.read().replace(b"<head>", b"<head>\n" + _OWN_LINKS, 1)


def verdict(uri: str) -> bytes:
    """What the gate made of the evaluation at `uri`, as Markdown."""
    found = evaluation.read(uri)
    parts = ["# Blessed" if found.blessed else "# Not blessed"]
    if found.reasons:
        parts.append("\n".join(f"- {_text(reason)}" for reason in found.reasons))
    for way in found.ways:
        parts += [f"## {_RANKINGS[way]}", _systems(found, way)]
    rules = [[_text(rule.rule), f"{_GAP}{_MARKS[rule.state]}{_GAP}", _text(rule.detail)] for rule in found.rules]
    parts += ["## Rules of the gate", _table(["rule", "", ""], ":--", rules)]
    return ("\n\n".join(parts) + "\n").encode()


def _systems(found: Evaluation, way: Way) -> str:
    rows = [
        [_text(system.title), *(_GAP + _number(system.of(way)[name]) for name in found.gate_metrics)]
        for system in found.systems.values()
    ]
    return _table(["", *(_GAP + name for name in found.gate_metrics)], "--:", rows)


def _table(head: list[str], rule: str, rows: list[list[str]]) -> str:
    """A table with texts in its first column; those after it are aligned by `rule`."""
    rules = [":--", *[rule] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rules, *rows])


def _text(text: str) -> str:
    """A text that Markdown takes as it is: names of users' files and items are in it."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "–"
