"""What the data has that asks for a look, in sentences: for the line of Preprocess and the report."""

from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.moments import shown

REASONS = {
    "bad_rows": "that cannot be read",
    "below_min_rating": "below min_rating",
    "not_wanted": "that dataset.where does not want",
    "duplicates": "duplicates",
    "below_min_interactions": "below min_interactions",
    "below_min_item_interactions": "below min_item_interactions",
    "of_new_users": "of new users",
    "of_new_items": "of new items",
}
"""Why rows are dropped, in words."""

_MUCH = 0.1
"""The share of rows or users from which on something is worth a warning."""
_LONG = 0.5
"""The share of the period from which on a time without rows is."""


def findings(summary: InteractionsSummary) -> list[str]:
    """All that asks for a look.

    Example:
      ["dropped 4 of 11 rows (36.4%: 2 duplicates, 2 below min_interactions)", "item 17 has 3 of 7 training rows
      (42.9%)"].
    """
    found = [
        _much_dropped(summary),
        _one_time(summary),
        _gap(summary),
        _many_ties(summary),
        *_dominated(summary),
        _many_new_items(summary),
    ]
    return list(filter(None, found))


def describe_dropped(summary: InteractionsSummary) -> str:
    """What was dropped, with counts, shares and reasons; nothing where there is nothing to say.

    Example:
      "dropped 4 of 11 rows (36.4%: 2 duplicates, 2 below min_interactions), 1 of 3 users (33.3%)".
    """
    dropped, absent = summary.dropped, summary.absent
    if not dropped.rows:
        return ""
    reasons = [f"{rows:,} {REASONS[reason]}" for reason, rows in vars(dropped).items() if rows]
    parts = [amount(dropped.rows, summary.rows_read, "rows", ", ".join(reasons))]
    for what, gone, new, left in (
        ("users", absent.users, absent.new_users, summary.users),
        ("items", absent.items, absent.new_items, summary.items),
    ):
        if gone:
            parts.append(amount(gone, gone + left, what, f"{new:,} of them new" if new else ""))
    return "dropped " + ", ".join(parts)


def describe_ties(summary: InteractionsSummary) -> str:
    """Of how many users the held-out items are decided by ties; nothing where it is of nobody."""
    if summary.holdout == "random" or not summary.tied_users:
        return ""
    users = amount(summary.tied_users, summary.users, "users")
    return f"held-out items of {users} decided among equal timestamps by preprocess.ties"


def amount(part: int, whole: int, what: str, detail: str = "") -> str:
    """A part of a whole, with its share.

    Example:
      >>> amount(4, 11, "rows", "all of them old")
      '4 of 11 rows (36.4%: all of them old)'
    """
    return f"{part:,} of {whole:,} {what} ({part / whole:.1%}{': ' + detail if detail else ''})"


def _much_dropped(summary: InteractionsSummary) -> str:
    users = summary.absent.users
    much = summary.dropped_share >= _MUCH or users >= _MUCH * (users + summary.users)
    return describe_dropped(summary) if much else ""


def _many_ties(summary: InteractionsSummary) -> str:
    much = summary.tied_users >= _MUCH * summary.users and not summary.one_time
    return describe_ties(summary) if much else ""


def _one_time(summary: InteractionsSummary) -> str:
    if not summary.one_time or summary.period is None:
        return ""
    time = shown(summary.period[0], summary.time_unit)
    latest = ", so that preprocess.ties decides what is latest" if summary.latest_held_out else ""
    return f"all rows have one time, {time}{latest}: is dataset.timestamp_column the right one?"


def _gap(summary: InteractionsSummary) -> str:
    calendar = summary.statistics.calendar if summary.statistics else None
    if calendar is None or calendar.gap is None or summary.period is None:
        return ""
    first, last = summary.period
    share = (calendar.gap.end - calendar.gap.begin) / (last - first)
    if share < _LONG:
        return ""
    begin, end = (shown(time, summary.time_unit).partition(".")[0] for time in (calendar.gap.begin, calendar.gap.end))
    return f"no row from about {begin} to {end}, {share:.1%} of the period: is a time wrong?"


def _dominated(summary: InteractionsSummary) -> list[str]:
    if summary.statistics is None:
        return []
    statistics, trained = summary.statistics, summary.interactions["train"]
    item = ("item", statistics.items.largest, trained, "training rows", summary.items)
    user = ("user", statistics.users.largest, trained, "training rows", summary.users)
    if statistics.busiest_user is not None:  # who may have little but repeated pairs
        user = ("user", statistics.busiest_user, summary.rows_read, "rows", summary.users + summary.absent.users)
    return [
        f"{what} {largest.id} has {amount(largest.rows, rows, of)}"
        for what, largest, rows, of, number in (user, item)
        # Of ten and fewer, one has a tenth for certain.
        if largest.rows > rows * max(_MUCH, 2 / number)
    ]


def _many_new_items(summary: InteractionsSummary) -> str:
    if summary.new_item_share < _MUCH:
        return ""
    rows = amount(summary.held_out_of_new_items, summary.held_out, "held-out rows")
    return f"{rows} are of items without a training row, which no model can know"
