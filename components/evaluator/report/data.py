"""The data that a model was trained and judged on, and what became of the champion's, arranged for the templates."""

from typing import Any

from components.artifacts.data_findings import REASONS, findings
from components.artifacts.data_statistics import TOP, Calendar, DataStatistics, Spread
from components.artifacts.evaluation import Evaluation
from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.moments import shown
from components.evaluator.report import figures
from components.evaluator.report.charts import Caption, Line, line_chart

_HOLDOUTS = {
    "last": "each user's latest",
    "time": "from a time on, of all users",
    "random": "drawn at random",
    "given": "by the data set",
}
_DAY_LENGTH = len("2001-09-13")


def data(evaluation: Evaluation) -> dict[str, Any] | None:
    """What the data is like; None where that is not known."""
    summary = evaluation.data
    if summary is None:
        return None
    statistics = summary.statistics
    return {
        "findings": [text[:1].upper() + text[1:] for text in findings(summary)],
        "rows": _rows(summary),
        "facts": _facts(summary),
        "spreads": _spreads(summary, statistics) if statistics else [],
        "charts": _charts(summary, statistics) if statistics else [],
    }


def _rows(summary: InteractionsSummary) -> list[dict[str, Any]]:
    """The rows of the input: those read, those dropped by reason, and those left by split."""
    dropped = [(f"dropped: {REASONS[reason]}", rows) for reason, rows in vars(summary.dropped).items() if rows]
    apart = [("held out with their users", summary.held_out_users.interactions)] if summary.held_out_users else []
    parts = [("read", summary.rows_read), *dropped, *apart, *summary.interactions.items()]
    whole = max(1, summary.rows_read)
    return [{"name": name[:1].upper() + name[1:], "rows": rows, "share": rows / whole} for name, rows in parts]


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


def _spreads(summary: InteractionsSummary, statistics: DataStatistics) -> list[dict[str, Any]]:
    """Of users and items, how many training rows each has."""
    rows = max(1, summary.interactions["train"])
    return [
        {
            "name": name,
            "mean": spread.mean,
            "quantiles": spread.quantiles,
            "largest": spread.largest.id,
            "share": spread.largest.rows / rows,
        }
        for name, spread in (("User", statistics.users), ("Item", statistics.items))
    ]


def _charts(summary: InteractionsSummary, statistics: DataStatistics) -> list[dict[str, Any]]:
    charts = [_curves(statistics.users, statistics.items)]
    if statistics.calendar is not None and summary.period is not None:
        charts.append(_by_time(statistics.calendar, summary))
    return charts


def _curves(users: Spread, items: Spread) -> dict[str, Any]:
    title = "Share of the training rows of the top users and items"
    lines = [Line("Users", "further-1", users.curve), Line("Items", "further-2", items.curve)]
    of_tenth = [f"{line.label.lower()} {figures.share(line.values[TOP.index(0.1)])}" for line in lines]
    numbers = f"the first tenth of each: {', '.join(of_tenth)}"
    ticks = [(share, figures.percentage(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    caption = Caption("data-curves", title, numbers)
    svg = line_chart(caption, TOP, ticks, lines, "top users or items, by their training rows", markers=False)
    return {"title": title, "svg": svg}


def _by_time(calendar: Calendar, summary: InteractionsSummary) -> dict[str, Any]:
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
    return {"title": title, "svg": svg}


def _day(time: float, summary: InteractionsSummary) -> str:
    return f"{time:.6g}" if summary.time_unit is None else shown(time, summary.time_unit)[:_DAY_LENGTH]


def drift(evaluation: Evaluation) -> dict[str, Any] | None:
    """The data beside the champion's; None where there is nothing to say."""
    found = evaluation.champion.drift
    if found is None:
        return None
    users = _row("Users", found.users, found.new_users, found.champion_users)
    items = _row("Items", found.items, found.new_items, found.champion_items)
    return {"rows": [users, items], "found": found, "version": evaluation.champion.version}


def _row(name: str, here: int, new: int, there: int | None) -> dict[str, Any]:
    gone = None if there is None else there - (here - new)
    return {
        "name": name,
        "here": here,
        "there": there,
        "new": _share(new, here),
        "gone": figures.NONE if gone is None or not there else _share(gone, there),
    }
