"""What Preprocess says of its outcome: what is there, what was dropped, and what asks for a look."""

from components.artifacts.data_findings import amount, describe_dropped, describe_ties, findings
from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.moments import NAMES, shown
from components.shared import progress


def show(summary: InteractionsSummary) -> None:
    """Says it on the step's line, with a warning of each thing in the data that asks for a look."""
    warnings = findings(summary)
    told = [describe(summary), describe_ties(summary), describe_dropped(summary)]
    progress.note("; ".join(text for text in told if text and text not in warnings))
    for warning in warnings:
        progress.warn(warning)


def describe(summary: InteractionsSummary) -> str:
    """What there is, when it was where that is known, and how it was held out where a reader would not guess it.

    Example:
      "11 rows: 2 users, 4 items, 3 train, 2 validation, 2 test; times in seconds, 2001-09-13 23:43:19 to 2001-09-14
      00:07:19".
    """
    parts = [f"{summary.users:,} users", f"{summary.items:,} items"]
    parts += [f"{number:,} {split}" for split, number in summary.interactions.items()]
    return f"{summary.rows_read:,} rows: {', '.join(parts)}{_holdouts(summary)}{_held_out_users(summary)}"


def _holdouts(summary: InteractionsSummary) -> str:
    period = ""
    if summary.time_unit is not None and summary.period is not None:
        first, last = (shown(time, summary.time_unit) for time in summary.period)
        period = f"; times in {NAMES[summary.time_unit]}, {first} to {last}"
    if summary.holdout == "random":
        return f" ({'' if summary.timed else 'no timestamps: '}held-out items drawn at random){period}"
    if not summary.held_out_from:
        return period
    starts = (f"{split} from {shown(time, summary.time_unit)} on" for split, time in summary.held_out_from.items())
    return f" ({', '.join(starts)}){period}"


def _held_out_users(summary: InteractionsSummary) -> str:
    found = summary.held_out_users
    if found is None:
        return ""
    users = amount(found.users, found.users + summary.users, "users")
    judged = "" if found.judged == found.users else f", {found.judged:,} of them to be judged"
    return f"; {users} with {found.interactions:,} rows are held out entirely{judged}"
