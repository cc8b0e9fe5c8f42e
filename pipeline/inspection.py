"""What is found in files of interactions, as a configuration and as sentences."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape

from components.artifacts.data_findings import describe_dropped, findings
from components.artifacts.interactions_summary import InteractionsSummary
from components.artifacts.moments import NAMES, shown
from components.evaluator.config import EvaluatorConfig
from components.preprocess.config import PreprocessConfig
from components.preprocess.inspection.columns import described
from components.preprocess.inspection.looking import Found, Keys, look
from components.preprocess.outcome import describe
from components.shared.files.secrets import without_secrets
from pipeline.command_options import name_of
from pipeline.config import Config, assigned, config_of

_MOST_LINES = 6
_COMMENTS_AT = 36
_MINIMA = ("min_interactions", "min_item_interactions")
_SEPARATORS = {"\t": "tabs", " ": "blanks"}


def found_in(path: str, assignments: Sequence[str]) -> Found:
    """Looks at files.

    Args:
      path: a file or a glob.
      assignments: `section.key=value` each; what they say is not looked for.

    Raises:
      UserError: there are no such files, an assignment is wrong, or it cannot be told what is in the files.
    """
    given = assigned({"dataset": {"kind": "files", "path": path}, "preprocess": {}}, assignments)
    config_of(given, path, assignments)
    return look(given["dataset"], given["preprocess"])


def looked_at(console: Console, path: str, assignments: Sequence[str]) -> tuple[Config, InteractionsSummary]:
    """The configuration that some files ask for, and what is in them; says what is assumed."""
    with console.status(escape(f"looking at {without_secrets(path)}")):
        found = found_in(path, assignments)
    for line in assumed(found):
        console.print(line, markup=False, soft_wrap=True)
    return config_of(tree_of(found, assignments), path, assignments), found.counted.summary


def tree_of(found: Found, assignments: Sequence[str]) -> Keys:
    """The configuration that reads files as they were found to be, with the filters' minima and what was assigned."""
    minima = {key: PreprocessConfig.model_fields[key].default for key in _MINIMA}
    sections = {"dataset": dict(found.dataset), "preprocess": {**minima, **found.preprocess}}
    return assigned({"name": f"neumf-{name_of(found.dataset['path'])}", **sections}, assignments)


def assumed(found: Found) -> list[str]:
    """What a run takes for granted, in at most six lines."""
    lines = [_layout(found), _columns(found), *_doubts(found)]
    if len(lines) > _MOST_LINES:
        more = len(lines) - _MOST_LINES + 1
        lines[_MOST_LINES - 1 :] = [f"{more} more remarks: python -m pipeline init {found.dataset['path']}"]
    return [without_secrets(line) for line in lines]


def as_yaml(found: Found, assignments: Sequence[str]) -> str:
    """The configuration, with comments that say what was found, and what is doubtful."""
    summary = found.counted.summary
    lines = ["# Found:", *(f"# - {fact}" for fact in (describe(summary), describe_dropped(summary)) if fact)]
    if doubts := list(_doubts(found)):
        lines += ["# To look at:", *(f"# - {doubt}" for doubt in doubts)]
    lines.append("")
    comments = _comments(found)
    for section, value in tree_of(found, assignments).items():
        if isinstance(value, dict):
            lines += [f"{section}:", *(_line(key, inner, comments.get(key)) for key, inner in value.items())]
        else:
            lines.append(_line(section, value, None).strip())
    return without_secrets("\n".join([*lines, ""]))


def _line(key: str, value: Any, comment: str | None) -> str:
    # A document of one value ends with a mark of its own.
    written = yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("...\n").strip()
    text = f"{key}: {written}"
    return f"  {text:<{_COMMENTS_AT}}# {comment}" if comment else f"  {text}"


def _layout(found: Found) -> str:
    path, sample = found.dataset["path"], found.sample
    if sample.separator is None:
        return f"{path}: columns with names"
    between = _SEPARATORS.get(sample.separator, f"'{sample.separator}'")
    return f"{path}: {between} between columns, {'a' if sample.header else 'no'} header"


def _columns(found: Found) -> str:
    columns, why = found.choice.columns, found.choice.why
    kinds = {"user": found.counted.user_ids, "item": found.counted.item_ids, "timestamp": _times(found)}
    words = {"user": "users", "item": "items", "timestamp": "times"}
    parts = [
        f"{words[role]}: {described(columns[role])} ({why[role]}, {kinds[role]})" for role in words if role in columns
    ]
    return "; ".join([*parts, *([] if "timestamp" in columns else ["no times: held-out items are drawn at random"])])


def _times(found: Found) -> str:
    summary = found.counted.summary
    if summary.time_unit is None or summary.period is None:
        return "numbers that may count anything: their order is used"
    first, last = (shown(time, summary.time_unit) for time in summary.period)
    return f"{first} to {last}, in {NAMES[summary.time_unit]}"


def _comments(found: Found) -> dict[str, str]:
    """What is said beside the keys."""
    summary, why = found.counted.summary, found.choice.why
    dropped = {
        "min_interactions": summary.dropped.below_min_interactions,
        "min_item_interactions": summary.dropped.below_min_item_interactions,
    }
    return {
        "separator": "found from a sample",
        "header": "found from a sample",
        "user_column": f"{why['user']}: {found.counted.user_ids}",
        "item_column": f"{why['item']}: {found.counted.item_ids}",
        "timestamp_column": f"{why['timestamp']}: {_times(found)}" if "timestamp" in why else "there are none",
        **{key: f"drops {rows:,} of {summary.rows_read:,} rows" for key, rows in dropped.items()},
    }


def _doubts(found: Found) -> Iterator[str]:
    """What somebody should look at."""
    summary, bad = found.counted.summary, found.counted.bad_rows
    if bad:
        left_out = " and are left out" if found.dataset.get("on_bad_row") == "skip" else ""
        yield f"{bad:,} of {summary.rows_read:,} rows cannot be read{left_out}: {found.fault}"
    yield from found.choice.doubts
    if found.dataset.get("quoting") == "off":
        yield "quotes are characters as any other (dataset.quoting: off), as more rows can be read so"
    if found.dataset.get("encoding") == "latin-1":
        yield "the text is not UTF-8: dataset.encoding is latin-1, which reads anything"
    yield from findings(summary)
    least = EvaluatorConfig.model_fields["minimum_test_users"].default
    if summary.interactions["test"] < least:
        users = summary.interactions["test"]
        yield f"the gate asks for {least} users to test by, and there are {users} (evaluator.minimum_test_users)"
    if "rating" in found.choice.columns and "min_rating" not in found.preprocess:
        rating = described(found.choice.columns["rating"])
        yield f"rows count whatever their rating ({rating}): set dataset.rating_column and preprocess.min_rating"
