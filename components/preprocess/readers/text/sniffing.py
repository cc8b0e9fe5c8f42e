"""What a sample of delimited text tells of its layout: its separator, its header, which column is what."""

import csv
import re
from collections.abc import Iterable, Sequence

import pyarrow as pa

from components.preprocess.readers.base import Columns, Quoting
from components.preprocess.values.times import form_of, read_times

SEPARATORS = (",", "\t", "::", ";", "|", " ")
"""What may stand between columns where nothing is said; a blank only where nothing else does."""

_SHARE = 0.9
_ROWS = 100
_USERS = "user customer visitor member account reviewer buyer client person"
_ITEMS = (
    "item movie product article business book track artist song game anime recipe venue video parentasin asin isbn sku"
)
_TIMES = (
    "timestamp time datetime date ts unixreviewtime unixtime createdat eventtime tdat reviewtime utctime rated "
    "submitted purchasedate orderdate"
)
_RATINGS = "rating stars score overall bookrating weight plays playcount"
_NAMES = {
    "user": [*(f"{word}{ending}" for word in _USERS.split() for ending in ("id", "")), "uid"],
    "item": [*(f"{word}{ending}" for word in _ITEMS.split() for ending in ("id", "")), "iid"],
    "timestamp": _TIMES.split(),
    "rating": _RATINGS.split(),
}
"""How the columns that count are usually called, letters alone, the likeliest first."""


def split_records(lines: Sequence[str], separator: str, quoting: Quoting) -> list[list[str]]:
    """The fields of each record of a sample; a line whose quotes are malformed is divided as if they meant nothing.

    Example:
      The lines `1,"a, b"` and `2,"c` are the records ["1", "a, b"] and ["2", '"c']; where quoting is off, the first is
      ["1", '"a', ' b"'].
    """
    if quoting == "off" or len(separator.encode()) > 1:
        return [line.rstrip("\r\n").split(separator) for line in lines if line.strip("\r\n")]
    records, at = [], 0
    while at < len(lines):
        taken = 1
        if lines[at].strip("\r\n"):
            reader = csv.reader((f"{line}\n" for line in lines[at:]), delimiter=separator, strict=True)
            try:
                records.append(next(reader))
                taken = reader.line_num
            except csv.Error:
                records.append(lines[at].rstrip("\r\n").split(separator))
        at += taken
    return records


def find_separator(lines: Sequence[str], usual: str, quoting: Quoting, wanted: Iterable[str | int] = ()) -> str:
    """The separator that divides a sample into most columns, of those that give nearly all lines equally many.

    Example:
      Of `7;2,5;2001-09-13` and `8;3,0;2001-09-14`, it is the semicolon: the comma makes two columns of each line.

    Args:
      lines: of the sample, its first ones in front.
      usual: what to take where several are as good, or none is good.
      quoting: whether quotes have a meaning.
      wanted: names and positions of columns that there must be.
    """
    candidates = dict.fromkeys([usual, *SEPARATORS])
    widths = {separator: _width(lines, separator, quoting, list(wanted)) for separator in candidates}
    if max(width for separator, width in widths.items() if separator != " ") > 1:
        widths.pop(" ", None)
    best = max(widths, key=lambda separator: widths[separator])
    return best if widths[best] > 1 else usual


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: by usual names, or as all rows but it have numbers or times in a column.

    Example:
      ["name", "points"] above ["anna", "3"] and ["bob", "4"] does; so does ["user", "item"].
    """
    first, *others = rows
    columns = zip(*(row for row in others[:_ROWS] if len(row) == len(first)), strict=False)
    if find_columns(first) is not None:
        return True
    return any(_are_values(column) and not _are_values([name]) for name, column in zip(first, columns, strict=False))


def find_columns(names: Sequence[str]) -> Columns | None:
    """The columns that count, by their usual names; None where user or item has none of those.

    Example:
      Of "customer_id", "article_id" and "t_dat", they are user, item and time.
    """
    found = find_by_name(names)
    return Columns(**found) if "user" in found and "item" in found else None


def find_by_name(names: Iterable[str]) -> dict[str, str]:
    """Which columns have the usual name of a user, an item, a timestamp or a rating.

    Example:
      Of "User-ID" and "Book-Title", the former is the user.
    """
    bare = {re.sub("[^a-z]", "", name.lower()): name for name in reversed(list(names))}
    likeliest = {what: next((bare[name] for name in known if name in bare), None) for what, known in _NAMES.items()}
    return {what: name for what, name in likeliest.items() if name is not None}


def _width(lines: Sequence[str], separator: str, quoting: Quoting, wanted: list[str | int]) -> int:
    """How many columns a separator makes; 0 where that is not the same in nearly all lines, or one is missing."""
    records = split_records(lines, separator, quoting)
    widths = [len(record) for record in records]
    if not records or widths.count(widths[0]) < _SHARE * len(widths):
        return 0
    names = {name.strip() for name in records[0]}
    missing = any(name not in names if isinstance(name, str) else name >= widths[0] for name in wanted)
    return 0 if missing and widths[0] > 1 else widths[0]


def _are_values(texts: Sequence[str]) -> bool:
    """Whether all are numbers or times."""
    return not read_times(pa.array(texts), form_of(texts, "auto"))[1].any()
