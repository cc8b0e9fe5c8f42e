"""The data that a model was trained and judged on, and what became of the champion's, arranged for the templates."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.artifacts.data_findings import REASONS, findings
from components.artifacts.data_statistics import TOP, Calendar, DataStatistics, Spread
from components.artifacts.evaluation import Drift, Evaluation
from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.moments import shown
from components.evaluator.report import figures
from components.evaluator.report.charts import Caption, Chart, Line, line_chart

_HOLDOUTS = {
    "last": "each user's latest",
    "time": "from a time on, of all users",
    "random": "drawn at random",
    "given": "by the data set",
}
_DAY_LENGTH = len("2001-09-13")


@dataclass(frozen=True)
class Rows:
    """Some rows of the input: how many, and as a share of those read."""

    name: str
    rows: int
    share: float


@dataclass(frozen=True)
class SpreadRow:
    """How many training rows each user, or each item, has.

    Attributes:
      name: of what has them: "User" or "Item".
      mean: of each.
      quantiles: least, quartiles, the last hundredth, most.
      largest: the id that has most.
      share: of all training rows that it has.
    """

    name: str
    mean: float
    quantiles: Sequence[int]
    largest: int | str
    share: float


@dataclass(frozen=True)
class Data:
    """What the data is like: findings in sentences, rows, titles with values, and what shards count of themselves."""

    findings: Sequence[str]
    rows: Sequence[Rows]
    facts: Sequence[tuple[str, str]]
    spreads: Sequence[SpreadRow]
    charts: Sequence[Chart]


@dataclass(frozen=True)
class DriftRow:
    """Users, or items, here and in the champion's data; None is not known."""

    name: str
    here: int
    there: int | None
    new: str
    gone: str


@dataclass(frozen=True)
class DriftShown:
    """This data beside that of the champion's version."""

    rows: Sequence[DriftRow]
    found: Drift
    version: str | None


def data(evaluation: Evaluation) -> Data | None:
    """What the data is like; None where that is not known."""
    summary = evaluation.data
    if summary is None:
        return None
    statistics = summary.statistics
    return Data(
        findings=[text[:1].upper() + text[1:] for text in findings(summary)],
        rows=_rows(summary),
        facts=_facts(summary),
        spreads=_spreads(summary, statistics) if statistics else [],
        charts=_charts(summary, statistics) if statistics else [],
    )


def _rows(summary: InteractionsSummary) -> list[Rows]:
    """The rows of the input: those read, those dropped by reason, and those left by split."""
    dropped = [(f"dropped: {REASONS[reason]}", rows) for reason, rows in vars(summary.dropped).items() if rows]
    apart = [("held out with their users", summary.held_out_users.interactions)] if summary.held_out_users else []
    parts = [("read", summary.rows_read), *dropped, *apart, *summary.interactions.items()]
    whole = max(1, summary.rows_read)
    return [Rows(name[:1].upper() + name[1:], rows, share=rows / whole) for name, rows in parts]


def _facts(summary: InteractionsSummary) -> list[tuple[str, str]]:
    absent = summary.absent
    facts = [
        ("Users", _with_absent(summary.users, absent.users)),
        ("Items", _with_absent(summary.items, absent.items)),
        ("Density", f"{figures.percentage(summary.density)} of all pairs of a user and an item"),
        ("Held out", _HOLDOUTS[summary.holdout]),
        ("Held-out rows of items without a training row", _share(summary.held_out_of_new_items, summary.held_out)),
        ("Repeated pairs of a user and an item", _share(summary.dropped.duplicates, summary.rows_read)),
    ]
    if summary.period is not None:
        first, last = (shown(time, summary.time_unit) for time in summary.period)
        facts.insert(3, ("Period", f"{first} to {last}"))
    if summary.latest_held_out:
        facts.append(("Users whose held-out items ties decide", _share(summary.tied_users, summary.users)))
    return facts


def _with_absent(left: int, absent: int) -> str:
    return f"{figures.count(left)}; {_share(absent, left + absent)} dropped" if absent else figures.count(left)


def _share(part: int, whole: int) -> str:
    return f"{figures.count(part)} ({figures.share(part / max(1, whole))})"


def _spreads(summary: InteractionsSummary, statistics: DataStatistics) -> list[SpreadRow]:
    """Of users and items, how many training rows each has."""
    rows = max(1, summary.interactions["train"])
    return [
        SpreadRow(name, spread.mean, spread.quantiles, spread.largest.id, share=spread.largest.rows / rows)
        for name, spread in (("User", statistics.users), ("Item", statistics.items))
    ]


def _charts(summary: InteractionsSummary, statistics: DataStatistics) -> list[Chart]:
    charts = [_curves(statistics.users, statistics.items)]
    if statistics.calendar is not None and summary.period is not None:
        charts.append(_by_time(statistics.calendar, summary))
    return charts


def _curves(users: Spread, items: Spread) -> Chart:
    title = "Share of the training rows of the top users and items"
    lines = [Line("Users", "further-1", users.curve), Line("Items", "further-2", items.curve)]
    of_tenth = [f"{line.label.lower()} {figures.share(line.values[TOP.index(0.1)])}" for line in lines]
    numbers = f"the first tenth of each: {', '.join(of_tenth)}"
    ticks = [(share, figures.percentage(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    caption = Caption("data-curves", title, numbers)
    svg = line_chart(caption, TOP, ticks, lines, "top users or items, by their training rows", markers=False)
    return Chart(title, svg)


def _by_time(calendar: Calendar, summary: InteractionsSummary) -> Chart:
    parts, rows = len(calendar.rows), sum(calendar.rows)
    title = "Share of the rows, by time"
    shares = [part / rows for part in calendar.rows]
    assert summary.period is not None
    first, last = (_day(time, summary) for time in summary.period)
    numbers = f"from {first} to {last}, at most {figures.share(max(shares))} in one of {parts} equal parts"
    caption = Caption("data-calendar", title, numbers)
    positions = [part + 0.5 for part in range(parts)]
    ticks = [(positions[0], first), (positions[-1], last)]
    svg = line_chart(caption, positions, ticks, [Line("Input", "model", shares)], "time", markers=False)
    return Chart(title, svg)


def _day(time: float, summary: InteractionsSummary) -> str:
    return f"{time:.6g}" if summary.time_unit is None else shown(time, summary.time_unit)[:_DAY_LENGTH]


def drift(evaluation: Evaluation) -> DriftShown | None:
    """The data beside the champion's; None where there is nothing to say."""
    found = evaluation.champion.drift
    if found is None:
        return None
    users = _row("Users", found.users, found.new_users, found.champion_users)
    items = _row("Items", found.items, found.new_items, found.champion_items)
    return DriftShown([users, items], found, evaluation.champion.version)


def _row(name: str, here: int, new: int, there: int | None) -> DriftRow:
    gone = None if there is None else there - (here - new)
    told = figures.NONE if gone is None or not there else _share(gone, there)
    return DriftRow(name, here, there, new=_share(new, here), gone=told)
