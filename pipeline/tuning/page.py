"""The page of a study: how the best grew over time, which keys matter, every trial."""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import jinja2
from markupsafe import Markup

from components.evaluator import report
from components.evaluator.report.charts import WIDTH, Caption, Chart, Line, line_chart
from components.evaluator.report.svg import add, markup, picture
from components.trainer.tuning.findings import Findings, Tried
from components.trainer.tuning.space import Space, in_a_word
from pipeline.tuning import rows
from pipeline.tuning.data import Data

_STYLE = Path(report.__file__).parent / "style.css"


def render(findings: Findings, data: Data, space: Space) -> str:
    """One HTML page that needs nothing beside itself.

    Args:
      findings: what was found; there is a winner.
      data: what it was found on.
      space: what was searched.
    """
    assert findings.winner is not None
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        style=Markup(_STYLE.read_text(encoding="utf-8")),
        data=data,
        metric=findings.metric,
        gain=rows.gain(findings) if findings.winner is not findings.own else "",
        lede=_lede(findings),
        byline=f"{len(findings.trials)} trials in {findings.seconds / 60:.1f} minutes, until {findings.ended}: "
        + ", ".join(f"{number} {state}" for state, number in rows.counts(findings)),
        charts=[_growth(findings), *([_importance(findings)] if findings.importance else [])],
        values=rows.compared(findings, space),
        trials=[_row(trial) for trial in findings.trials],
        winner=str(findings.winner.number),
    )


def _lede(findings: Findings) -> str:
    assert findings.winner is not None
    if findings.winner is findings.own:
        return f"No trial was better than the configuration as it was: {findings.metric} {findings.own.best:.4f}."
    before = "" if findings.own.best is None else f", where the configuration as it was has {findings.own.best:.4f}"
    return f"Trial {findings.winner.number} has {findings.metric} {findings.winner.best:.4f} on validation{before}."


def _row(trial: Tried) -> tuple[str, ...]:
    values = ", ".join(f"{key} {in_a_word(value)}" for key, value in trial.changes.items())
    if trial.best is None:
        return str(trial.number), "none", "", rows.seconds(trial), f"{trial.state}: {trial.reason}", values
    epoch = f"{trial.best_epoch} of {len(trial.values)}"
    return str(trial.number), f"{trial.best:.4f}", epoch, rows.seconds(trial), str(trial.state), values


def _growth(findings: Findings) -> Chart:
    """The best so far at the end of each trial, beside the configuration as it was."""
    ended = sorted(
        ((trial.ended or findings.seconds) / 60, trial.best) for trial in findings.trials if trial.best is not None
    )
    minutes, best = [at for at, _ in ended], list(accumulate((value for _, value in ended), max))
    lines = [Line("tuned", "model", best)]
    if findings.own.best is not None:
        lines.append(Line("as it was", "popularity", [findings.own.best] * len(ended)))
    title = f"Best {findings.metric} so far"
    caption = Caption("growth", title, f"{len(ended)} trials; {best[-1]:.4f} at the end")
    ticks = [(at, f"{at:.1f}") for at in _thinned(minutes)]
    svg = line_chart(caption, minutes, ticks, lines, "minutes", from_zero=False, markers=len(ended) <= 30)
    return Chart(title, svg)


def _thinned(positions: Sequence[float], apart: float = 1 / 6) -> list[float]:
    """Some of the positions, with some room between them."""
    kept: list[float] = []
    for position in positions:
        if not kept or position - kept[-1] >= apart * (positions[-1] - positions[0]):
            kept.append(position)
    return kept


def _importance(findings: Findings) -> Chart:
    """A bar for each key."""
    row, left = 24.0, 160.0
    title = "Importance of the keys"
    shares = list(findings.importance.items())
    description = ", ".join(f"{key} {100 * share:.0f} %" for key, share in shares)
    root = picture("importance", title, description, WIDTH, row * len(shares))
    for number, (key, share) in enumerate(shares):
        y = row * number
        add(root, "text", key, x=0, y=y + 15, class_="label")
        add(root, "rect", x=left, y=y + 3, width=share * (WIDTH - left - 44), height=16, class_="part part-3")
        add(root, "text", f"{100 * share:.0f} %", x=WIDTH, y=y + 15, class_="value end")
    return Chart(title, markup(root))
