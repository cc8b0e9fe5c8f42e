"""What Preprocess says of its outcome: what is there, what was dropped, and what asks for a look."""

from components.artifacts.data_findings import amount, describe_dropped, describe_ties, findings
from components.artifacts.interactions_summary import InteractionsSummary, MixedIds
from components.artifacts.moments import NAMES, shown
from components.artifacts.vocabulary import TitlesSummary
from components.shared import progress


def show(summary: InteractionsSummary, titles: TitlesSummary | None = None) -> None:
    """Says it on the step's line, with a warning of each thing in the data that asks for a look."""
    warnings = findings(summary)
    told = [describe(summary), describe_ties(summary), describe_dropped(summary)]
    told += [describe_titles(titles, summary.items)] if titles and titles.items else []
    progress.note("; ".join(text for text in told if text and text not in warnings))
    for warning in warnings:
        progress.warn(warning)
    for what, mixed in (summary.mixed_ids or {}).items():
        progress.warn(describe_mixed_ids(what, mixed))
    if titles and not titles.items:
        progress.warn(
            f"{describe_titles(titles, summary.items)}: see whether dataset.titles.id is the column of the same ids"
        )


def describe(summary: InteractionsSummary) -> str:
    """What there is, when it was where that is known, and how it was held out where a reader would not guess it.

    Example:
      "11 rows: 2 users, 4 items, 3 train, 2 validation, 2 test; times in seconds, 2001-09-13 23:43:19 to 2001-09-14
      00:07:19".
    """
    parts = [f"{summary.users:,} users", f"{summary.items:,} items"]
    parts += [f"{number:,} {split}" for split, number in summary.interactions.items()]
    return f"{summary.rows_read:,} rows: {', '.join(parts)}{_holdouts(summary)}{_held_out_users(summary)}"


def describe_mixed_ids(what: str, mixed: MixedIds) -> str:
    """What type the ids of users or items are of in which files, and what follows.

    Example:
      "user ids are whole numbers in 2 files (clicks-0.csv, ...) and texts in 1 (clicks-2.csv): all are taken as texts,
      and are one where they are written the same".
    """
    numbers, texts = (
        f"{files:,}{word} ({file}{', ...' if files > 1 else ''})"
        for files, word, file in (
            (mixed.number_files, " file" if mixed.number_files == 1 else " files", mixed.number_file),
            (mixed.text_files, "", mixed.text_file),
        )
    )
    return (
        f"{what} ids are whole numbers in {numbers} and texts in {texts}: all are taken as texts, and are one where "
        "they are written the same"
    )


def describe_titles(titles: TitlesSummary, items: int) -> str:
    """How many items have a title, and what was odd about those.

    Example:
      "titles for 1,300 of 1,349 items (2 with several, of which the first counts; 5 rows that cannot be read;
      read as latin-1, as they are not UTF-8)".
    """
    odd = [
        f"{titles.several:,} with several, of which the first counts" if titles.several else "",
        f"{titles.bad_rows:,} rows that cannot be read" if titles.bad_rows else "",
        f"read as {titles.encoding}, as they are not UTF-8" if titles.encoding else "",
    ]
    told = "; ".join(filter(None, odd))
    return f"titles for {titles.items:,} of {items:,} items{f' ({told})' if told else ''}"


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
